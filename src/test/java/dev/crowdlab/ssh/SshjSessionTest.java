package dev.crowdlab.ssh;

import static dev.crowdlab.ssh.SshServerExtension.PASSWORD;
import static dev.crowdlab.ssh.SshServerExtension.connector;
import static dev.crowdlab.ssh.SshServerExtension.hostKey;
import static dev.crowdlab.ssh.SshServerExtension.keyPair;
import static dev.crowdlab.ssh.SshServerExtension.target;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.core.Deadline;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.FutureTask;
import org.apache.sshd.server.SshServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SshjSessionTest {

  private static final int LIMIT = 64 * 1024;
  private static final KeyPair HOST_KEY = keyPair("ssh-ed25519");

  private static final String ECHO_ARGUMENTS =
      """
      while IFS= read -r line && [ "$line" != . ]; do printf '<%s>' "$line"; done
      sha256sum | cut -c1-64
      """;

  @RegisterExtension private final SshServerExtension sshd = new SshServerExtension();

  private SshServer server;
  private SshSession session;

  @BeforeEach
  void connect() throws Exception {
    server = sshd.start(HOST_KEY);
    SshTarget target =
        target(server, new HostKeyPin.Key(hostKey(HOST_KEY)), SshCredentials.password(PASSWORD));
    session = ((SshConnector.Connection.Connected) connector().connect(target, in(10))).session();
  }

  @AfterEach
  void disconnect() {
    session.close();
  }

  @Test
  void aCommandsOutputComplaintsAndStatusComeBack() throws Exception {
    SshSession.Result result =
        session.exec(
            List.of("sh", "-c", "cat; echo \"$1\"; echo oops >&2; exit 3", "sh", "it's $HOME"),
            Payload.of("input ".getBytes(UTF_8)),
            LIMIT,
            in(10));

    assertThat(result.exit()).isEqualTo(3);
    assertThat(result.succeeded()).isFalse();
    assertThat(result.stdout()).isEqualTo("input it's $HOME\n");
    assertThat(result.stderr()).isEqualTo("oops\n");
    assertThat(session.isOpen()).isTrue();
  }

  @Test
  void aScriptReadsItsArgumentsAndThenItsPayload() throws Exception {
    byte[] payload = new byte[20 * 1024 * 1024];
    new Random(7).nextBytes(payload);
    Map<String, String> arguments = new LinkedHashMap<>();
    arguments.put("name", "it's $(reboot) `x` \\n");
    arguments.put("empty", "");

    SshSession.Result result =
        session.run(
            Script.of("echo-arguments", ECHO_ARGUMENTS),
            arguments,
            () -> new ByteArrayInputStream(payload),
            LIMIT,
            in(60));

    assertThat(result.stderr()).isEmpty();
    assertThat(result.stdout())
        .isEqualTo("<name=it's $(reboot) `x` \\n><empty=>" + sha256(payload) + "\n");
  }

  @Test
  void nothingOfAScriptIsSeenInTheListOfProcesses() throws Exception {
    SshSession.Result result =
        session.run(
            Script.of("look", "secret=hunter2\ntr '\\0' ' ' < /proc/$$/cmdline"),
            Map.of("token", "hunter3"),
            Payload.none(),
            LIMIT,
            in(10));

    assertThat(result.stdout()).contains("look").doesNotContain("hunter");
  }

  @Test
  void anArgumentWithALineBreakIsRefused() {
    assertThatThrownBy(
            () ->
                session.run(
                    Script.of("x", "true"), Map.of("name", "a\nb"), Payload.none(), LIMIT, in(10)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void tooMuchOutputEndsTheConnection() {
    assertThatThrownBy(
            () -> session.exec(List.of("cat", "/dev/zero"), Payload.none(), LIMIT, in(20)))
        .isInstanceOfSatisfying(
            SshException.class,
            e -> assertThat(e.failure()).isEqualTo(new SshFailure.TooMuchOutput(LIMIT)));
    await().untilAsserted(() -> assertThat(session.isOpen()).isFalse());
  }

  @Test
  void complaintsWithoutEndAreDrainedAndForgotten() throws Exception {
    SshSession.Result result =
        session.exec(
            List.of("sh", "-c", "head -c 4000000 /dev/zero | tr '\\0' x >&2; echo ok"),
            Payload.none(),
            LIMIT,
            in(20));
    assertThat(result.stdout()).isEqualTo("ok\n");
    assertThat(result.stderr()).hasSize(16 * 1024);
  }

  @Test
  void aCommandThatHangsEndsAtTheDeadline() {
    long started = System.nanoTime();
    assertThatThrownBy(
            () ->
                session.exec(
                    List.of("sleep", "60"),
                    Payload.none(),
                    LIMIT,
                    Deadline.in(Duration.ofMillis(500))))
        .isInstanceOfSatisfying(
            SshException.class,
            e -> assertThat(e.failure()).isInstanceOf(SshFailure.TimedOut.class));
    assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(5));
  }

  @Test
  void aServerThatGoesAwayEndsACommandAtOnce() throws Exception {
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                await().until(() -> !server.getActiveSessions().isEmpty());
                server.stop(true);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    assertThatThrownBy(() -> session.exec(List.of("sleep", "60"), Payload.none(), LIMIT, in(30)))
        .isInstanceOfSatisfying(
            SshException.class,
            e -> assertThat(e.failure()).isInstanceOf(SshFailure.ConnectionLost.class));
    assertThat(session.isOpen()).isFalse();
  }

  @Test
  void aClosedSessionLeavesNoThread() throws Exception {
    session.exec(List.of("true"), Payload.none(), LIMIT, in(10));
    session.close();
    await()
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .noneMatch(thread -> thread.getName().startsWith("sshj")));
  }

  @Test
  void commandsRunSideBySide() throws Exception {
    var tasks = new ArrayList<FutureTask<String>>();
    for (int i = 0; i < 6; i++) {
      String text = "n" + i;
      var task =
          new FutureTask<>(
              () -> session.exec(List.of("echo", text), Payload.none(), LIMIT, in(20)).stdout());
      Thread.ofVirtual().start(task);
      tasks.add(task);
    }
    for (int i = 0; i < tasks.size(); i++) {
      assertThat(tasks.get(i).get()).isEqualTo("n" + i + "\n");
    }
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static Deadline in(int seconds) {
    return Deadline.in(Duration.ofSeconds(seconds));
  }
}
