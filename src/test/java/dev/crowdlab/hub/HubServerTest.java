package dev.crowdlab.hub;

import static dev.crowdlab.hub.LedgerTest.report;
import static dev.crowdlab.hub.LedgerTest.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.ToAgent;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The whole hub on a loopback port, with the JDK's WebSocket client as the agent. */
class HubServerTest {

  private static final VmRef VM = new VmRef("lab", "alice-1", "uid-alice-1");
  private static final VmRef OTHER = new VmRef("lab", "bob-1", "uid-bob-1");
  private static final TeamRef TEAM = new TeamRef("lab", "team-7", "uid-7");
  private static final Duration BOUND = Duration.ofSeconds(10);

  private final FakeSecrets secrets = new FakeSecrets();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Hub hub =
      new Hub(
          HubSettings.of(
              new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0),
              List.of(InetSocketAddress.createUnresolved("127.0.0.1", 0))),
          secrets,
          HubClock.system(),
          registry);
  private HttpClient http;

  /** An agent that writes down what it hears. */
  private final class Agent implements WebSocket.Listener {
    final Frames frames = new Frames();
    final List<ToAgent> received = new CopyOnWriteArrayList<>();
    final StringBuilder partial = new StringBuilder();
    final CompletableFuture<Integer> closed = new CompletableFuture<>();
    final boolean reads;
    final WebSocket socket;

    Agent(VmRef vm, String token) {
      this(vm, token, true);
    }

    Agent(VmRef vm, String token, boolean reads) {
      this.reads = reads;
      socket =
          http.newWebSocketBuilder()
              .connectTimeout(BOUND)
              .header(Protocol.VM_HEADER, vm.uid())
              .header("Authorization", "Bearer " + token)
              .buildAsync(URI.create(hub.url()), this)
              .join();
    }

    Agent hello(FromAgent.TeamReport... teams) {
      return says(
          new FromAgent.Hello(
              Protocol.VERSION,
              "sha",
              "boot-1",
              "machine-1",
              "ssh-ed25519 AAAA",
              List.of(teams),
              null));
    }

    Agent says(FromAgent message) {
      socket.sendText(frames.write(message), true).join();
      return this;
    }

    void hears(Class<? extends ToAgent> type) {
      await().atMost(BOUND).until(() -> received.stream().anyMatch(type::isInstance));
    }

    int closeCode() {
      return closed.orTimeout(BOUND.toSeconds(), TimeUnit.SECONDS).join();
    }

    @Override
    public void onOpen(WebSocket webSocket) {
      if (reads) {
        webSocket.request(1);
      }
    }

    @Override
    public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
      partial.append(data);
      if (last) {
        try {
          received.add(frames.readToAgent(partial.toString()));
        } catch (Frames.BadFrameException e) {
          closed.completeExceptionally(e);
        }
        partial.setLength(0);
      }
      webSocket.request(1);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
      closed.complete(statusCode);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public void onError(WebSocket webSocket, Throwable error) {
      closed.complete(-1);
    }
  }

  @BeforeEach
  void open() throws Exception {
    hub.open(Set::of);
    assertThat(hub.isOpen()).isTrue();
    http = client(hub.caPem().orElseThrow());
  }

  @AfterEach
  void close() {
    http.shutdownNow();
    hub.close();
  }

  private static HttpClient client(String caPem) throws Exception {
    return HttpClient.newBuilder().connectTimeout(BOUND).sslContext(tls(caPem)).build();
  }

  private static SSLContext tls(String caPem) throws GeneralSecurityException, IOException {
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    int number = 0;
    for (X509Certificate certificate : Certificates.certificates(caPem)) {
      trusted.setCertificateEntry("ca-" + number++, certificate);
    }
    TrustManagerFactory managers = TrustManagerFactory.getInstance("PKIX");
    managers.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    return context;
  }

  private Agent agent() {
    return new Agent(VM, hub.tokens().issue(VM));
  }

  private void refused(VmRef vm, String token, int status) {
    assertThatThrownBy(() -> new Agent(vm, token))
        .isInstanceOf(CompletionException.class)
        .cause()
        .isInstanceOfSatisfying(
            WebSocketHandshakeException.class,
            e -> assertThat(e.getResponse().statusCode()).isEqualTo(status));
  }

  private boolean connected() {
    return hub.agents().session(VM).isPresent();
  }

  @Test
  void anAgentIsWelcomedOverTlsUnderOurOwnAuthority() {
    Agent agent = agent().hello();

    agent.hears(ToAgent.Welcome.class);
    await().atMost(BOUND).until(this::connected);
    assertThat(registry.get("crowdlab.hub.sessions").gauge().value()).isEqualTo(1);
  }

  @Test
  void aWrongTokenIsRefusedBeforeTheUpgrade() {
    hub.tokens().issue(VM);

    refused(VM, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", 401);
    assertThat(
            registry.get("crowdlab.hub.refusals").tag("cause", "unauthenticated").counter().count())
        .isEqualTo(1);
  }

  @Test
  void anotherVmsTokenIsRefused() {
    hub.tokens().issue(VM);
    String theirs = hub.tokens().issue(OTHER);

    refused(VM, theirs, 401);
  }

  @Test
  void aRevokedTokenIsRefused() {
    String token = hub.tokens().issue(VM);
    hub.tokens().revoke(VM);

    refused(VM, token, 401);
  }

  @Test
  void aRequestWithoutCredentialsIsRefused() throws Exception {
    URI url = URI.create(hub.url().replace("wss:", "https:"));

    HttpResponse<String> plain =
        http.send(
            HttpRequest.newBuilder(url).timeout(BOUND).build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(plain.statusCode()).isEqualTo(404);
    assertThat(plain.headers().firstValue("server")).isEmpty();
    assertThat(plain.body()).isEmpty();

    assertThatThrownBy(
            () ->
                http.newWebSocketBuilder()
                    .buildAsync(URI.create(hub.url()), new WebSocket.Listener() {})
                    .join())
        .cause()
        .isInstanceOf(WebSocketHandshakeException.class);
  }

  @Test
  void aFrameBeyondTheBoundEndsTheSession() {
    Agent agent = agent().hello();
    agent.hears(ToAgent.Welcome.class);

    CompletableFuture<WebSocket> _ =
        agent.socket.sendText("x".repeat(Protocol.MAX_FRAME_BYTES + 1), true);

    assertThat(agent.closeCode()).isEqualTo(1009);
    await().atMost(BOUND).until(() -> !connected());
  }

  @Test
  void aMessageOfManyFragmentsBeyondTheBoundEndsTheSession() {
    Agent agent = agent().hello();
    agent.hears(ToAgent.Welcome.class);

    for (int i = 0; i < 5 && !agent.closed.isDone(); i++) {
      try {
        agent.socket.sendText("x".repeat(Protocol.MAX_FRAME_BYTES / 4), false).join();
      } catch (CompletionException e) {
        break;
      }
    }

    assertThat(agent.closeCode()).isIn(1009, -1);
    await().atMost(BOUND).until(() -> !connected());
  }

  @Test
  void garbageAndBinaryFramesEndTheSession() {
    Agent garbage = agent().hello();
    garbage.hears(ToAgent.Welcome.class);
    CompletableFuture<WebSocket> _ = garbage.socket.sendText("{\"type\":\"root-shell\"}", true);
    assertThat(garbage.closeCode()).isEqualTo(VmDesk.PROTOCOL_ERROR);

    Agent binary = agent().hello();
    binary.hears(ToAgent.Welcome.class);
    CompletableFuture<WebSocket> _ =
        binary.socket.sendBinary(ByteBuffer.wrap(new byte[] {1}), true);
    assertThat(binary.closeCode()).isEqualTo(VmDesk.PROTOCOL_ERROR);
  }

  @Test
  void aFloodEndsTheSession() {
    Agent agent = agent().hello();
    String beat = agent.frames.write(new FromAgent.Heartbeat(1, 1));

    for (int i = 0; i < 3 * RateLimit.BURST_FRAMES && !agent.closed.isDone(); i++) {
      try {
        agent.socket.sendText(beat, true).join();
      } catch (CompletionException e) {
        break;
      }
    }

    assertThat(agent.closeCode()).isIn(VmDesk.POLICY, -1);
    await().atMost(BOUND).until(() -> !connected());
  }

  @Test
  void aFloodOfPingsEndsTheSession() {
    Agent agent = agent().hello();
    agent.hears(ToAgent.Welcome.class);

    for (int i = 0; i < 3 * RateLimit.BURST_FRAMES && !agent.closed.isDone(); i++) {
      try {
        agent.socket.sendPing(ByteBuffer.wrap(new byte[] {1})).join();
      } catch (CompletionException e) {
        break;
      }
    }

    assertThat(agent.closeCode()).isIn(VmDesk.POLICY, -1);
    await().atMost(BOUND).until(() -> !connected());
  }

  @Test
  void aSlowReaderIsCutOffAndTheOthersAreServed() {
    String token = hub.tokens().issue(VM);
    new Agent(VM, token, false).hello();
    await().atMost(BOUND).until(this::connected);
    Agent other = new Agent(OTHER, hub.tokens().issue(OTHER)).hello();
    String image = "x".repeat(1_000);
    List<String> images = Collections.nCopies(32, image);

    await()
        .atMost(BOUND)
        .pollInterval(Duration.ofMillis(1))
        .until(
            () -> {
              hub.agents().prepare(VM, new ToAgent.Prepare("uid-7", images, null));
              return !connected();
            });

    assertThat(registry.get("crowdlab.hub.send.overflows").counter().count()).isEqualTo(1);
    hub.agents().run(OTHER, run(TEAM, 1));
    other.hears(ToAgent.Run.class);
  }

  @Test
  void aReconnectGetsTheRunAgainAndTheOldSessionCountsNothing() {
    String token = hub.tokens().issue(VM);
    Agent first = new Agent(VM, token).hello();
    await().atMost(BOUND).until(this::connected);
    hub.agents().run(VM, run(TEAM, 1));
    first.hears(ToAgent.Run.class);
    first.socket.abort();
    await().atMost(BOUND).until(() -> !connected());

    Agent second = new Agent(VM, token).hello();
    second.hears(ToAgent.Run.class);
    second.says(report(TEAM, 1, State.HEALTHY));

    await().atMost(BOUND).until(() -> hub.agents().run(VM, run(TEAM, 1)) instanceof Outcome.Done);
    assertThat(second.received.stream().filter(ToAgent.Run.class::isInstance)).hasSize(1);
  }

  @Test
  void aSecondSessionReplacesAFirstThatDoesNotAnswer() {
    String token = hub.tokens().issue(VM);
    Agent first = new Agent(VM, token).hello();
    await().atMost(BOUND).until(this::connected);

    Agent second = new Agent(VM, token).hello();

    second.hears(ToAgent.Welcome.class);
    assertThat(first.received).anyMatch(ToAgent.Challenge.class::isInstance);
    first.closeCode();
    assertThat(second.closed).isNotDone();
  }

  @Test
  void twoSessionsThatAnswerAreAConflictUntilOneGoes() {
    String token = hub.tokens().issue(VM);
    Agent first = new Agent(VM, token).hello();
    await().atMost(BOUND).until(this::connected);
    Agent second = new Agent(VM, token).hello();
    first.hears(ToAgent.Challenge.class);
    String nonce =
        first.received.stream()
            .filter(ToAgent.Challenge.class::isInstance)
            .map(ToAgent.Challenge.class::cast)
            .findFirst()
            .orElseThrow()
            .nonce();

    first.says(new FromAgent.ChallengeAnswer(nonce));

    await().atMost(BOUND).until(() -> !connected());
    hub.agents().run(VM, run(TEAM, 1));
    first.socket.abort();
    second.hears(ToAgent.Run.class);
    await().atMost(BOUND).until(this::connected);
    assertThat(first.received).noneMatch(ToAgent.Run.class::isInstance);
  }

  @Test
  void aSilentMachineOnAnOpenSocketIsLostWhenNothingAnswersItsProbes() throws Exception {
    // A listener whose queue is full answers no SYN: as silent as a machine without power.
    try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket a = new Socket();
        Socket b = new Socket()) {
      InetSocketAddress sshd =
          new InetSocketAddress(InetAddress.getLoopbackAddress(), full.getLocalPort());
      a.connect(sshd, 1_000);
      b.connect(sshd, 1_000);
      Agent agent = agent().hello();
      await().atMost(BOUND).until(this::connected);
      hub.agents().watch(VM, sshd, true, _ -> false);
      agent.hears(ToAgent.Cadence.class);
      agent.says(new FromAgent.Heartbeat(0, 1));

      await().atMost(BOUND).until(() -> hub.agents().health(VM) instanceof VmHealth.Lost);
      agent.closeCode();
    }
  }

  @Test
  void onlyTls12And13AreSpoken() throws Exception {
    SSLContext context = tls(hub.caPem().orElseThrow());
    for (String version : List.of("TLSv1.2", "TLSv1.3")) {
      assertThat(handshake(context, version)).isEqualTo(version);
    }
    assertThatThrownBy(() -> handshake(context, "TLSv1.1")).isInstanceOf(IOException.class);
  }

  private String handshake(SSLContext context, String version) throws IOException {
    try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket()) {
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), hub.port()), 5_000);
      socket.setSoTimeout(5_000);
      socket.setEnabledProtocols(new String[] {version});
      socket.startHandshake();
      return socket.getSession().getProtocol();
    }
  }

  @Test
  void aClientThatTrustsAnotherAuthorityDoesNotTalkToUs() throws Exception {
    HubIdentity stranger =
        new HubIdentity(
            new FakeSecrets(), "x", List.of("127.0.0.1"), HubClock.system(), new SecureRandom());
    try (HttpClient wary = client(stranger.ensure().caPem())) {
      assertThatThrownBy(
              () ->
                  wary.send(
                      HttpRequest.newBuilder(URI.create(hub.url().replace("wss:", "https:")))
                          .timeout(BOUND)
                          .build(),
                      HttpResponse.BodyHandlers.discarding()))
          .isInstanceOf(SSLHandshakeException.class);
    }
  }

  @Test
  void aRequestThatIsNotTlsOrNotHttpIsDropped() throws Exception {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), hub.port()), 5_000);
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      byte[] answer = socket.getInputStream().readAllBytes();
      assertThat(new String(answer, StandardCharsets.ISO_8859_1)).doesNotContain("HTTP");
    }
    assertThat(hub.isOpen()).isTrue();
  }

  @Test
  void aClosedHubAcceptsNobodyAndEndsItsSessions() {
    Agent agent = agent().hello();
    await().atMost(BOUND).until(this::connected);
    String url = hub.url();

    hub.close();

    agent.closeCode();
    assertThat(hub.port()).isEqualTo(-1);
    assertThatThrownBy(
            () ->
                http.newWebSocketBuilder()
                    .connectTimeout(BOUND)
                    .buildAsync(URI.create(url), new WebSocket.Listener() {})
                    .join())
        .isInstanceOf(CompletionException.class);
  }

  @Test
  void aStandbyListensNowhere() {
    try (Hub standby =
        new Hub(
            HubSettings.of(
                new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0),
                List.of(InetSocketAddress.createUnresolved("127.0.0.1", 0))),
            secrets,
            HubClock.system(),
            new SimpleMeterRegistry())) {
      assertThat(standby.port()).isEqualTo(-1);
      assertThat(standby.isOpen()).isFalse();
    }
  }

  @Test
  void aHubWhoseApiServerIsAwayOpensWhenItIsBack() {
    FakeSecrets away = new FakeSecrets();
    away.away(true);
    try (Hub late =
        new Hub(
            HubSettings.of(
                new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0),
                List.of(InetSocketAddress.createUnresolved("127.0.0.1", 0))),
            away,
            HubClock.system(),
            new SimpleMeterRegistry())) {
      late.open(Set::of);
      assertThat(late.isOpen()).isFalse();

      away.away(false);

      await().atMost(BOUND).until(late::isOpen);
    }
  }

  @Test
  void aHubThatOpensForgetsMachinesThatAreNoMore() {
    FakeSecrets kept = new FakeSecrets();
    Tokens before = new Tokens(kept, HubClock.system(), new SecureRandom());
    VmRef there = new VmRef("lab", "there", "uid-there");
    VmRef gone = new VmRef("lab", "gone", "uid-gone");
    before.issue(there);
    before.issue(gone);

    try (Hub next = hubOn(kept)) {
      next.open(() -> Set.of(there.uid()));
    }

    assertThat(namesOf(kept)).containsExactly(TokenSet.secretName(there.uid()));
  }

  @Test
  void aHubThatCannotListMachinesOpensAndForgetsNothing() {
    FakeSecrets kept = new FakeSecrets();
    VmRef there = new VmRef("lab", "there", "uid-there");
    new Tokens(kept, HubClock.system(), new SecureRandom()).issue(there);

    try (Hub next = hubOn(kept)) {
      next.open(
          () -> {
            throw new IllegalStateException("the API server is away");
          });
      assertThat(next.isOpen()).isTrue();
      assertThat(namesOf(kept)).containsExactly(TokenSet.secretName(there.uid()));
    }
  }

  private static List<String> namesOf(FakeSecrets secrets) {
    return secrets.list(Tokens.COMPONENT, Tokens.AGENT_TOKEN).stream()
        .map(SecretStore.Stored::name)
        .toList();
  }

  private static Hub hubOn(FakeSecrets secrets) {
    return new Hub(
        HubSettings.of(
            new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0),
            List.of(InetSocketAddress.createUnresolved("127.0.0.1", 0))),
        secrets,
        HubClock.system(),
        new SimpleMeterRegistry());
  }

  @Test
  void aHubWhosePortIsTakenOpensWhenItIsFree() throws Exception {
    ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
    try (taken;
        Hub late =
            new Hub(
                HubSettings.of(
                    new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), taken.getLocalPort()),
                    List.of(InetSocketAddress.createUnresolved("127.0.0.1", 0))),
                secrets,
                HubClock.system(),
                new SimpleMeterRegistry())) {
      late.open(Set::of);
      assertThat(late.isOpen()).isFalse();

      taken.close();

      await().atMost(BOUND).until(late::isOpen);
    }
  }
}
