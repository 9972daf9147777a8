package dev.crowdlab.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.core.Deadline;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import java.io.ByteArrayInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What only a real sshd, sudo and network show. */
@RequiresTestBed
class SshSessionE2E {

  private static final int LIMIT = 64 * 1024;

  private LabHost host;
  private SshSession session;

  @BeforeEach
  void connect(LabNetwork network) {
    host = network.start("session", HostOptions.full().sudoUser("lab").sshPort(2022));
    SshTarget target =
        new SshTarget(
            host.address(),
            host.sshPort(),
            host.user(),
            true,
            HostKeyPin.parse(host.fingerprint("ecdsa")),
            SshCredentials.key(network.privateKey()));
    SshConnector connector =
        new SshjConnector(
            new SshSettings(
                Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ofSeconds(1), 4),
            AddressPolicy.strict(),
            Resolver.system());
    SshConnector.Connection connection = connector.connect(target, in(20));
    assertThat(connection).isInstanceOf(SshConnector.Connection.Connected.class);
    session = ((SshConnector.Connection.Connected) connection).session();
  }

  @AfterEach
  void close() {
    session.close();
    host.close();
  }

  @Test
  void aCommandThatReadsNothingOfALargeInputStillEnds() throws Exception {
    SshSession.Result result =
        session.exec(
            List.of("sh", "-c", "exec <&-; echo done"),
            () -> new ByteArrayInputStream(new byte[8 * 1024 * 1024]),
            LIMIT,
            in(20));
    assertThat(result.stdout()).isEqualTo("done\n");
    assertThat(session.isOpen()).isTrue();
  }

  @Test
  void aLargePayloadArrivesWholeThroughSudo() throws Exception {
    byte[] payload = new byte[20 * 1024 * 1024];
    new Random(7).nextBytes(payload);
    Script script =
        Script.of(
            "store",
            "while IFS= read -r line && [ \"$line\" != . ]; do said=$line; done",
            "id -u",
            "printf '%s\\n' \"$said\"",
            "sha256sum | cut -c1-64");

    SshSession.Result result =
        session.run(
            script,
            Map.of("name", "it's $(reboot)"),
            () -> new ByteArrayInputStream(payload),
            LIMIT,
            in(30));

    assertThat(result.stdout())
        .isEqualTo(
            "0\nname=it's $(reboot)\n"
                + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(payload))
                + "\n");
  }

  @Test
  void aCommandThatHangsIsCutOffAndTheOthersGoOn() throws Exception {
    assertThatThrownBy(
            () ->
                session.exec(
                    List.of("sleep", "1000"),
                    Payload.none(),
                    LIMIT,
                    Deadline.in(Duration.ofMillis(500))))
        .isInstanceOfSatisfying(
            SshException.class,
            e -> assertThat(e.failure()).isInstanceOf(SshFailure.TimedOut.class));
    assertThat(session.exec(List.of("echo", "on"), Payload.none(), LIMIT, in(10)).stdout())
        .isEqualTo("on\n");
  }

  @Test
  void aScriptThatHangsIsEndedByTheMachineItself() {
    Script script = Script.of("hang", "exec sleep 1234567");
    assertThatThrownBy(
            () ->
                session.run(
                    script, Map.of(), Payload.none(), LIMIT, Deadline.in(Duration.ofMillis(300))))
        .isInstanceOf(SshException.class);
    await()
        .atMost(Duration.ofSeconds(15))
        .until(() -> !host.succeeds("pgrep", "-f", "sleep 1234567"));
  }

  @Test
  void aMachineThatLosesItsPowerIsNoticedWithoutACommand() {
    host.powerCut();
    await().atMost(Duration.ofSeconds(15)).until(() -> !session.isOpen());
  }

  private static Deadline in(int seconds) {
    return Deadline.in(Duration.ofSeconds(seconds));
  }
}
