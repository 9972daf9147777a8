package dev.crowdlab.ssh;

import static dev.crowdlab.ssh.SshServerExtension.PASSWORD;
import static dev.crowdlab.ssh.SshServerExtension.connector;
import static dev.crowdlab.ssh.SshServerExtension.hostKey;
import static dev.crowdlab.ssh.SshServerExtension.keyPair;
import static dev.crowdlab.ssh.SshServerExtension.target;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import java.lang.reflect.Proxy;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.sshd.server.SshServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class KeptConnectionTest {

  private static final KeyPair HOST_KEY = keyPair("ssh-ed25519");
  private static final HostKeyPin PIN = new HostKeyPin.Key(hostKey(HOST_KEY));

  @RegisterExtension private final SshServerExtension sshd = new SshServerExtension();

  private final AtomicReference<SshTarget> target = new AtomicReference<>();
  private final AtomicInteger connects = new AtomicInteger();
  private SshServer server;
  private KeptConnection kept;

  @BeforeEach
  void connect() throws Exception {
    server = sshd.start(HOST_KEY);
    target.set(target(server, PIN, SshCredentials.password(PASSWORD)));
    SshConnector counted =
        (to, deadline) -> {
          connects.incrementAndGet();
          return connector().connect(to, deadline);
        };
    kept = new KeptConnection("files", counted, () -> Outcome.done(target.get()), new Random(1));
  }

  @AfterEach
  void close() {
    kept.close();
  }

  @Test
  void commandsShareOneConnection() throws Exception {
    assertThat(echo("a")).isEqualTo("a\n");
    assertThat(echo("b")).isEqualTo("b\n");
    assertThat(connects).hasValue(1);
    assertThat(kept.contact()).isPresent();
  }

  @Test
  void aLostConnectionIsMadeAnewBeforeAnybodyAsks() throws Exception {
    echo("a");
    server.getActiveSessions().forEach(session -> session.close(true));

    await().untilAsserted(() -> assertThat(connects).hasValue(2));
    assertThat(echo("b")).isEqualTo("b\n");
    assertThat(connects).hasValue(2);
  }

  @Test
  void eachConnectionIsToldWhenItCanBeUsed() throws Exception {
    AtomicInteger usable = new AtomicInteger();
    kept.whenConnected(
        () -> {
          if (kept.contact().isPresent()) {
            usable.incrementAndGet();
          }
        });
    echo("a");
    await().untilAsserted(() -> assertThat(usable).hasValue(1));

    server.getActiveSessions().forEach(session -> session.close(true));

    await().untilAsserted(() -> assertThat(usable).hasValue(2));
  }

  /** sshj tells of the end before it says that it is not connected any more. */
  @Test
  void aConnectionIsLostWhenItIsToldSoWhateverItSaysItself() {
    AtomicReference<Runnable> told = new AtomicReference<>();
    AtomicInteger made = new AtomicInteger();
    SshSession session = alwaysOpen(told);
    try (KeptConnection other =
        new KeptConnection(
            "files",
            (_, _) -> {
              made.incrementAndGet();
              return new SshConnector.Connection.Connected(session);
            },
            () -> Outcome.done(target.get()),
            new Random(1))) {
      other.start();
      await().until(() -> told.get() != null);

      told.get().run();

      await().untilAsserted(() -> assertThat(made).hasValue(2));
    }
  }

  @SuppressWarnings("ReferenceEquality") // a proxy is equal to itself alone
  private static SshSession alwaysOpen(AtomicReference<Runnable> told) {
    return (SshSession)
        Proxy.newProxyInstance(
            SshSession.class.getClassLoader(),
            new Class<?>[] {SshSession.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "isOpen" -> true;
                  case "contact" -> new Contact("10.77.0.2", null, true, Duration.ZERO);
                  case "equals" -> proxy == arguments[0];
                  case "whenClosed" -> {
                    told.set((Runnable) arguments[0]);
                    yield null;
                  }
                  default -> null;
                });
  }

  @Test
  void aServerThatComesBackIsFoundAgain() throws Exception {
    echo("a");
    int port = server.getPort();
    server.stop(true);
    await().untilAsserted(() -> assertThat(kept.contact()).isEmpty());
    assertThatThrownBy(() -> echo("b"))
        .isInstanceOfSatisfying(
            SshException.class,
            e -> assertThat(e.failure()).isInstanceOf(SshFailure.Unreachable.class));

    sshd.start(port, HOST_KEY);

    await().ignoreExceptions().untilAsserted(() -> assertThat(echo("c")).isEqualTo("c\n"));
  }

  @Test
  void workOnAConnectionThatBreaksIsDoneAgain() throws Exception {
    AtomicInteger times = new AtomicInteger();
    String result =
        kept.use(
            session -> {
              if (times.incrementAndGet() == 1) {
                session.close();
              }
              return session.exec(List.of("echo", "x"), Payload.none(), 1024, in(10)).stdout();
            },
            in(20));
    assertThat(result).isEqualTo("x\n");
    assertThat(times).hasValue(2);
  }

  @Test
  void refusedCredentialsFailAtOnceAndAreNotKnockedWithAgain() throws Exception {
    kept.close();
    int before = connects.get();
    target.set(target(server, PIN, SshCredentials.password("wrong")));
    try (KeptConnection refused =
        new KeptConnection(
            "files",
            (to, deadline) -> {
              connects.incrementAndGet();
              return connector().connect(to, deadline);
            },
            () -> Outcome.done(target.get()),
            new Random(1))) {
      for (int i = 0; i < 5; i++) {
        assertThatThrownBy(() -> refused.use(SshSession::contact, in(10)))
            .isInstanceOfSatisfying(
                SshException.class,
                e -> assertThat(e.failure()).isInstanceOf(SshFailure.AuthenticationFailed.class));
      }
    }
    assertThat(connects).hasValue(before + 1);
  }

  @Test
  void correctedCredentialsAreTriedWithinSeconds() throws Exception {
    kept.close();
    target.set(target(server, PIN, SshCredentials.password("wrong")));
    try (KeptConnection refused =
        new KeptConnection("files", connector(), () -> Outcome.done(target.get()), new Random(1))) {
      assertThatThrownBy(() -> refused.use(SshSession::contact, in(10)))
          .isInstanceOf(SshException.class);

      target.set(target(server, PIN, SshCredentials.password(PASSWORD)));

      await()
          .atMost(Duration.ofSeconds(10))
          .ignoreExceptions()
          .until(() -> refused.use(SshSession::contact, in(10)).authenticated());
    }
  }

  @Test
  void aCommandThatHangsLeavesTheOthersTheirConnection() throws Exception {
    assertThatThrownBy(
            () ->
                kept.use(
                    session ->
                        session.exec(
                            List.of("sleep", "60"),
                            Payload.none(),
                            1024,
                            Deadline.in(Duration.ofMillis(300))),
                    in(10)))
        .isInstanceOfSatisfying(
            SshException.class,
            e -> assertThat(e.failure()).isInstanceOf(SshFailure.TimedOut.class));
    assertThat(echo("b")).isEqualTo("b\n");
    assertThat(connects).hasValue(1);
  }

  private String echo(String word) throws SshException {
    return kept.use(
        session -> session.exec(List.of("echo", word), Payload.none(), 1024, in(10)).stdout(),
        in(10));
  }

  private static Deadline in(int seconds) {
    return Deadline.in(Duration.ofSeconds(seconds));
  }
}
