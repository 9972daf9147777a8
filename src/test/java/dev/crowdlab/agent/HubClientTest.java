package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.FromAgent.Heartbeat;
import dev.crowdlab.protocol.FromAgent.Notice;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.testbed.TestPki;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubClientTest {

  private static final String ADDRESS = "127.0.0.1";
  private static final HubClient.Patience QUICK =
      new HubClient.Patience(Duration.ofMillis(100), Duration.ofSeconds(4), Duration.ofSeconds(2));

  private static final class FakeDuties implements HubClient.Duties {
    private final List<ToAgent> orders = new CopyOnWriteArrayList<>();
    private volatile Optional<Notice.Kind> voice = Optional.empty();
    private volatile Runnable afterVoiceWasRead = () -> {};
    private volatile FromAgent.@Nullable DiskState disk;

    @Override
    public FromAgent.Hello hello() {
      return new FromAgent.Hello(1, "v", "b", "m", "ssh-ed25519 AAAA", List.of(), disk);
    }

    @Override
    public void run(ToAgent.Run run) {
      orders.add(run);
    }

    @Override
    public void stop(ToAgent.Stop stop) {
      orders.add(stop);
    }

    @Override
    public void prepare(ToAgent.Prepare prepare) {
      orders.add(prepare);
    }

    @Override
    public void uninstall() {
      orders.add(new ToAgent.Uninstall());
    }

    @Override
    public Optional<Notice.Kind> voice() {
      Optional<Notice.Kind> read = voice;
      afterVoiceWasRead.run();
      return read;
    }
  }

  @TempDir Path folder;

  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final FakeDuties duties = new FakeDuties();
  private final TestPki pki = new TestPki();
  private Path tokenFile;
  private StubHub hub;
  private HubClient client;

  @BeforeEach
  void start() throws Exception {
    tokenFile = Files.writeString(folder.resolve("token"), "first\n");
    hub = new StubHub(ADDRESS, pki.server(ADDRESS));
  }

  @AfterEach
  void stop() {
    if (client != null) {
      client.close();
    }
    hub.close();
    executor.shutdownNow();
  }

  private void connect(Clock clock) {
    AgentConfig config =
        new AgentConfig(
            URI.create(hub.uri()),
            "vm-uid",
            pki.caFile(folder),
            tokenFile,
            folder,
            folder,
            null,
            null,
            null,
            null);
    client =
        new HubClient(
            config,
            new Token(tokenFile),
            new HubTrust(config.caFile(), clock),
            new Frames(),
            duties,
            QUICK,
            new Backoff(new Random(7)),
            executor);
    client.start();
  }

  private StubHub.Connection connect() {
    connect(Clock.systemUTC());
    StubHub.Connection connection = hub.connection(1);
    await().until(() -> client.state().equals("connected"));
    return connection;
  }

  @Test
  void itProvesWhoItIsAndBeginsWithHello() {
    StubHub.Connection connection = connect();

    assertThat(hub.tokens()).containsExactly("Bearer first");
    assertThat(connection.messages().getFirst()).isInstanceOf(FromAgent.Hello.class);
    assertThat(client.addresses()).hasToString("[127.0.0.1/32]");
  }

  @Test
  void heartbeatsComeAtTheHubsCadenceAndCountUp() {
    // given
    StubHub.Connection connection = connect();

    // when
    connection.send(new ToAgent.Cadence(50));
    connection.await(Heartbeat.class, beat -> beat.sequence() >= 20);

    // then
    List<Heartbeat> beats =
        connection.messages().stream()
            .filter(Heartbeat.class::isInstance)
            .map(Heartbeat.class::cast)
            .toList();
    for (int i = 0; i < beats.size(); i++) {
      assertThat(beats.get(i).sequence()).isEqualTo(i);
    }
    long first = beats.get(5).uptimeMillis();
    long last = beats.get(20).uptimeMillis();
    assertThat(last - first).isBetween(15 * 50L - 100, 15 * 50L + 3_000);
  }

  @Test
  void aChallengeIsAnswered() {
    StubHub.Connection connection = connect();

    connection.send(new ToAgent.Challenge("n-1"));

    assertThat(connection.await(FromAgent.ChallengeAnswer.class).nonce()).isEqualTo("n-1");
  }

  @Test
  void aNewTokenIsOnDiskBeforeItIsAcknowledgedAndUsedFromThenOn() throws Exception {
    // given
    StubHub.Connection connection = connect();

    // when
    connection.send(new ToAgent.NewToken("id-2", "second"));
    connection.await(FromAgent.TokenStored.class, stored -> stored.tokenId().equals("id-2"));

    // then
    assertThat(Files.readString(tokenFile)).isEqualTo("second\n");
    assertThat(
            java.nio.file.attribute.PosixFilePermissions.toString(
                Files.getPosixFilePermissions(tokenFile)))
        .isEqualTo("rw-------");

    // when
    connection.drop();
    hub.connection(2);

    // then
    assertThat(hub.tokens()).containsExactly("Bearer first", "Bearer second");
  }

  @Test
  void aLostConnectionIsMadeAgain() {
    // given
    StubHub.Connection connection = connect();

    // when
    connection.drop();

    // then
    hub.connection(2);
  }

  @Test
  void aRefusalIsNoReasonToGiveUp() {
    hub.refuse(3);

    connect(Clock.systemUTC());

    hub.connection(1);
    assertThat(hub.tokens()).hasSizeGreaterThanOrEqualTo(4);
  }

  @Test
  void aHubThatDoesNotWelcomeIsLeft() {
    // given
    hub.doNotWelcome();

    // when
    connect(Clock.systemUTC());

    // then
    hub.connection(2);
  }

  @Test
  void ordersReachTheDutiesOnlyAfterTheWelcome() {
    // given
    hub.doNotWelcome();
    connect(Clock.systemUTC());

    // when
    hub.connection(1).send(Runs.run(1));

    // then
    hub.connection(2);
    assertThat(duties.orders).isEmpty();
  }

  @Test
  void ordersReachTheDuties() {
    // given
    StubHub.Connection connection = connect();
    List<ToAgent> orders =
        List.of(
            new ToAgent.Prepare("u", List.of("i"), null),
            Runs.run(1),
            new ToAgent.Stop("u", "n", "t", 1, 0));

    // when
    orders.forEach(connection::send);

    // then
    await().untilAsserted(() -> assertThat(duties.orders).isEqualTo(orders));
  }

  @Test
  void aBadFrameEndsTheSession() {
    // given
    StubHub.Connection connection = connect();

    // when
    connection.sendRaw("{\"type\":\"dance\"}");

    // then
    hub.connection(2);
    assertThat(connection.isOpen()).isFalse();
  }

  @Test
  void anEarlierHubIsSpokenToInItsOwnWords() {
    // given
    hub.knowsNoLaterProtocolThan(1);
    duties.disk = FromAgent.DiskState.FULL;

    // when
    connect(Clock.systemUTC());
    StubHub.Connection refused = hub.connection(1);
    StubHub.Connection connection = hub.connection(2);
    await().until(() -> client.state().equals("connected"));
    client.disk(FromAgent.DiskState.READ_ONLY);
    client.prepared(new FromAgent.Prepared("u", "n", "t", 7, null, null));
    client.report(report(1, TeamReport.State.STOPPED));
    client.report(report(2));

    // then
    assertThat(refused.await(FromAgent.Hello.class).protocol()).isEqualTo(Protocol.VERSION);
    FromAgent.Hello hello = connection.await(FromAgent.Hello.class);
    assertThat(hello.protocol()).isEqualTo(1);
    assertThat(hello.disk()).isNull();
    connection.await(TeamReport.class, report -> report.epoch() == 2);
    assertThat(connection.messages())
        .noneMatch(FromAgent.Prepared.class::isInstance)
        .noneMatch(FromAgent.Disk.class::isInstance);
    assertThat(connection.await(TeamReport.class, report -> report.epoch() == 1).state())
        .isEqualTo(TeamReport.State.STOPPING);
  }

  @Test
  void theHubThatComesAfterAnEarlierOneIsSpokenToInTheNewestWords() {
    // given
    hub.knowsNoLaterProtocolThan(1);
    connect(Clock.systemUTC());
    StubHub.Connection earlier = hub.connection(2);
    await().until(() -> client.state().equals("connected"));
    hub.knowsNoLaterProtocolThan(Protocol.VERSION);

    // when
    earlier.drop();

    // then
    assertThat(hub.connection(3).await(FromAgent.Hello.class).protocol())
        .isEqualTo(Protocol.VERSION);
  }

  @Test
  void whatWasMadeAheadIsTold() {
    // given
    StubHub.Connection connection = connect();

    // when
    client.prepared(new FromAgent.Prepared("u", "n", "t", 7, null, null));
    client.report(report(1, TeamReport.State.STOPPED));

    // then
    assertThat(connection.await(FromAgent.Prepared.class).epoch()).isEqualTo(7);
    assertThat(connection.await(TeamReport.class).state()).isEqualTo(TeamReport.State.STOPPED);
  }

  @Test
  void reportsArriveInOrder() {
    // given
    StubHub.Connection connection = connect();

    // when
    for (int epoch = 1; epoch <= 200; epoch++) {
      client.report(report(epoch));
    }

    // then
    connection.await(TeamReport.class, r -> r.epoch() == 200);
    assertThat(connection.messages())
        .filteredOn(TeamReport.class::isInstance)
        .extracting(r -> ((TeamReport) r).epoch())
        .isSorted()
        .hasSize(200);
  }

  private static TeamReport report(long epoch) {
    return report(epoch, TeamReport.State.HEALTHY);
  }

  private static TeamReport report(long epoch, TeamReport.State state) {
    return new TeamReport("u", "n", "t", epoch, state, null, null, List.of());
  }

  @Test
  void whatTheOwnerAskedForIsSaidAgainAtEachConnection() {
    // given
    duties.voice = Optional.of(Notice.Kind.PAUSE);
    StubHub.Connection connection = connect();
    assertThat(connection.await(Notice.class).kind()).isEqualTo(Notice.Kind.PAUSE);

    // when
    connection.drop();

    // then
    assertThat(hub.connection(2).await(Notice.class).kind()).isEqualTo(Notice.Kind.PAUSE);
  }

  @Test
  void whatIsFoundOutOfTheDiskIsSaidAtOnceAndAgainInEachHello() {
    StubHub.Connection connection = connect();
    assertThat(connection.await(FromAgent.Hello.class).disk()).isNull();

    duties.disk = FromAgent.DiskState.FULL;
    client.disk(FromAgent.DiskState.FULL);
    assertThat(connection.await(FromAgent.Disk.class).state()).isEqualTo(FromAgent.DiskState.FULL);
    connection.drop();

    assertThat(hub.connection(2).await(FromAgent.Hello.class).disk())
        .isEqualTo(FromAgent.DiskState.FULL);
  }

  @Test
  void thatNothingIsAskedForIsSaidToo() {
    assertThat(connect().await(Notice.class).kind()).isEqualTo(Notice.Kind.RESUME);
  }

  @Test
  void whatTheOwnerAsksForWhileAConnectionBeginsIsTheLastThatTheHubHears() {
    // given: the owner asks just when it was read that nothing stands, and before that is said
    Thread owner =
        Thread.ofPlatform()
            .daemon()
            .unstarted(
                () -> {
                  try {
                    boolean _ =
                        client.notice(
                            Notice.Kind.LEAVE, () -> duties.voice = Optional.of(Notice.Kind.LEAVE));
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
    duties.afterVoiceWasRead =
        () -> {
          owner.start();
          // It is through, or it waits until we are.
          await()
              .until(
                  () ->
                      owner.getState() == Thread.State.BLOCKED
                          || owner.getState() == Thread.State.TERMINATED);
        };

    // when
    StubHub.Connection connection = connect();
    connection.await(Notice.class, notice -> notice.kind() == Notice.Kind.LEAVE);
    connection.await(Notice.class, notice -> notice.kind() == Notice.Kind.RESUME);

    // then
    assertThat(connection.messages())
        .filteredOn(Notice.class::isInstance)
        .last()
        .isEqualTo(new Notice(Notice.Kind.LEAVE));
  }

  @Test
  void theLastWordIsHeardBeforeItHangsUp() {
    // given
    StubHub.Connection connection = connect();

    // when
    client.farewell(Optional.of(Notice.Kind.STOPPING));

    // then
    connection.await(Notice.class, notice -> notice.kind() == Notice.Kind.STOPPING);
    await().until(() -> !connection.isOpen());
    await().pollDelay(Duration.ofMillis(500)).until(() -> hub.connectionCount() == 1);
  }

  @Test
  void aClockThatIsYearsAwayDoesNotLockItOut() {
    connect(Clock.fixed(Instant.parse("1999-01-01T00:00:00Z"), ZoneOffset.UTC));
    hub.connection(1);
    client.close();

    connect(Clock.fixed(Instant.parse("2049-01-01T00:00:00Z"), ZoneOffset.UTC));
    hub.connection(2);
  }

  @Test
  void aHubOfAnotherAuthorityIsNotTrusted() throws Exception {
    // given
    hub.close();
    hub = new StubHub(ADDRESS, new TestPki().server(ADDRESS));

    // when
    connect(Clock.systemUTC());

    // then
    await().untilAsserted(() -> assertThat(client.state()).contains("SSLHandshakeException"));
    assertThat(hub.tokens()).isEmpty();
  }

  @Test
  void aHubThatIsNotWhereItsCertificateSaysIsNotTrusted() throws Exception {
    // given
    hub.close();
    hub = new StubHub(ADDRESS, pki.server("10.77.9.9"));

    // when
    connect(Clock.systemUTC());

    // then
    await().untilAsserted(() -> assertThat(client.state()).contains("127.0.0.1"));
    assertThat(client.state()).contains("SSLHandshakeException");
    assertThat(hub.tokens()).isEmpty();
  }

  @Test
  void anAuthorityThatIsReplacedCountsAtTheNextConnection() throws Exception {
    // given
    TestPki renewed = new TestPki();
    StubHub.Connection connection = connect();
    int port = URI.create(hub.uri()).getPort();

    // when
    Files.writeString(
        folder.resolve("hub-ca.pem"),
        Files.readString(folder.resolve("hub-ca.pem"))
            + Files.readString(renewed.caFile(Files.createDirectory(folder.resolve("new")))));
    hub.close();
    hub = new StubHub(ADDRESS, port, renewed.server(ADDRESS));

    // then
    assertThat(hub.connection(1)).isNotSameAs(connection);
  }

  @Test
  void aSilentPeerIsLeft() throws Exception {
    // given: a hub that is cut off after the welcome, seen through a relay that stops relaying
    try (Relay relay = new Relay(URI.create(hub.uri()).getPort())) {
      AgentConfig config =
          new AgentConfig(
              URI.create("wss://127.0.0.1:" + relay.port() + "/agent/v1"),
              "vm-uid",
              pki.caFile(folder),
              tokenFile,
              folder,
              folder,
              null,
              null,
              null,
              null);
      client =
          new HubClient(
              config,
              new Token(tokenFile),
              new HubTrust(config.caFile(), Clock.systemUTC()),
              new Frames(),
              duties,
              QUICK,
              new Backoff(new Random(7)),
              executor);
      client.start();
      hub.connection(1);
      await().until(() -> client.state().equals("connected"));

      // when
      relay.swallow();

      // then
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> client.state().equals("not connected: the hub is silent"));

      // when
      relay.pass();

      // then
      hub.connection(2);
    }
  }
}
