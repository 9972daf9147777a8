package dev.crowdlab.ssh;

import static dev.crowdlab.ssh.SshServerExtension.PASSWORD;
import static dev.crowdlab.ssh.SshServerExtension.connector;
import static dev.crowdlab.ssh.SshServerExtension.hostKey;
import static dev.crowdlab.ssh.SshServerExtension.keyPair;
import static dev.crowdlab.ssh.SshServerExtension.target;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.KeyPair;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.apache.sshd.common.mac.BuiltinMacs;
import org.apache.sshd.server.ServerBuilder;
import org.apache.sshd.server.SshServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SshjConnectorTest {

  private static final SshCredentials GOOD = SshCredentials.password(PASSWORD);

  private static final List<KeyPair> HOST_KEYS =
      Stream.of(
              "ssh-ed25519",
              "ecdsa-sha2-nistp256",
              "ecdsa-sha2-nistp384",
              "ecdsa-sha2-nistp521",
              "ssh-rsa")
          .map(SshServerExtension::keyPair)
          .toList();

  @RegisterExtension private final SshServerExtension sshd = new SshServerExtension();

  private final SshConnector connector = connector();

  static List<KeyPair> hostKeys() {
    return HOST_KEYS;
  }

  @ParameterizedTest
  @MethodSource("hostKeys")
  void aHostWithEveryTypeOfKeyIsTrustedByTheFingerprintOfAnyOne(KeyPair pinned) throws Exception {
    SshServer server = sshd.start(HOST_KEYS.toArray(KeyPair[]::new));
    HostKeyPin pin = new HostKeyPin.Fingerprint(hostKey(pinned).fingerprint());

    try (SshSession session = connected(target(server, pin, GOOD))) {
      assertThat(session.contact().presented()).isEqualTo(hostKey(pinned));
      assertThat(session.contact().address()).isEqualTo("127.0.0.1");
      assertThat(session.contact().authenticated()).isTrue();
    }
    assertThat(sshd.attempts()).containsExactly("password");
  }

  @ParameterizedTest
  @MethodSource("hostKeys")
  void aHostWithEveryTypeOfKeyIsTrustedByTheLineOfAnyOne(KeyPair pinned) throws Exception {
    SshServer server = sshd.start(HOST_KEYS.toArray(KeyPair[]::new));

    try (SshSession session =
        connected(target(server, new HostKeyPin.Key(hostKey(pinned)), GOOD))) {
      assertThat(session.contact().presented()).isEqualTo(hostKey(pinned));
    }
  }

  @Test
  void withoutAPinTheKeyIsLearntAndNothingIsSent() throws Exception {
    KeyPair key = keyPair("ssh-ed25519");
    SshServer server = sshd.start(key);

    SshConnector.Connection.Refused refused =
        refused(target(server, new HostKeyPin.Unpinned(), GOOD));

    assertThat(refused.failure()).isEqualTo(new SshFailure.UnknownHostKey(hostKey(key)));
    assertThat(refused.contact().presented()).isEqualTo(hostKey(key));
    assertThat(refused.contact().authenticated()).isFalse();
    assertThat(sshd.attempts()).isEmpty();
  }

  @Test
  void aChangedKeyIsRefusedAndNothingIsSent() throws Exception {
    KeyPair key = keyPair("ssh-ed25519");
    SshServer server = sshd.start(key, keyPair("ssh-rsa"));
    HostKey pinned = hostKey(keyPair("ssh-ed25519"));

    for (HostKeyPin pin :
        List.of(new HostKeyPin.Key(pinned), new HostKeyPin.Fingerprint(pinned.fingerprint()))) {
      assertThat(refused(target(server, pin, GOOD)).failure())
          .isEqualTo(new SshFailure.HostKeyChanged(hostKey(key)));
    }
    assertThat(sshd.attempts()).isEmpty();
  }

  @Test
  void aHostThatLostThePinnedTypeIsChangedToo() throws Exception {
    KeyPair left = keyPair("ecdsa-sha2-nistp256");
    SshServer server = sshd.start(left);

    assertThat(
            refused(target(server, new HostKeyPin.Key(hostKey(keyPair("ssh-ed25519"))), GOOD))
                .failure())
        .isEqualTo(new SshFailure.HostKeyChanged(hostKey(left)));
    assertThat(sshd.attempts()).isEmpty();
  }

  @Test
  void aFingerprintThatMovedToAnotherTypeIsFoundAgain() throws Exception {
    KeyPair rsa = keyPair("ssh-rsa");
    HostKeyPin pin = new HostKeyPin.Fingerprint(hostKey(rsa).fingerprint());
    SshServer server = sshd.start(keyPair("ssh-ed25519"), rsa);
    connected(target(server, pin, GOOD)).close();

    // The connector remembers that the pin is an RSA key; it still finds it.
    connected(target(server, pin, GOOD)).close();

    server.stop(true);
    SshServer without = sshd.start(keyPair("ssh-ed25519"));
    assertThat(refused(target(without, pin, GOOD)).failure())
        .isInstanceOf(SshFailure.HostKeyChanged.class);
  }

  @Test
  void wrongCredentialsAreRefusedWithWhatTheMachineAccepts() throws Exception {
    KeyPair key = keyPair("ssh-ed25519");
    SshServer server = sshd.start(key);

    assertThat(refused(target(server, pin(key), SshCredentials.password("wrong"))).failure())
        .asInstanceOf(type(SshFailure.AuthenticationFailed.class))
        .satisfies(f -> assertThat(f.accepts()).contains("publickey", "password"));
  }

  @Test
  void aMachineWithNothingButBrokenAlgorithmsIsToldWhichOnesAndMayBeMended() throws Exception {
    SshServer ciphers = sshd.start(HOST_KEYS.getFirst());
    ciphers.setCipherFactories(List.of(BuiltinCiphers.aes128cbc));
    SshServer exchanges = sshd.start(HOST_KEYS.getFirst());
    exchanges.setKeyExchangeFactories(
        List.of(ServerBuilder.DH2KEX.apply(BuiltinDHFactories.dhg14)));
    SshServer macs = sshd.start(HOST_KEYS.getFirst());
    macs.setCipherFactories(List.of(BuiltinCiphers.aes128ctr));
    macs.setMacFactories(List.of(BuiltinMacs.hmacsha1));

    assertThat(unsettled(ciphers))
        .startsWith("the machine's sshd offers none of the ciphers that are accepted; update it")
        .contains("let Ciphers of its sshd_config have one of aes128-gcm@openssh.com, ");
    assertThat(unsettled(exchanges))
        .contains("none of the key exchanges", "KexAlgorithms", "curve25519-sha256")
        .doesNotContain("ext-info");
    assertThat(unsettled(macs)).contains("none of the MACs", "hmac-sha2-256-etm@openssh.com");
  }

  private String unsettled(SshServer server) {
    SshFailure failure = refused(target(server, new HostKeyPin.Unpinned(), GOOD)).failure();
    assertThat(failure).isInstanceOf(SshFailure.NoCommonAlgorithm.class);
    assertThat(failure.toFailure().kind()).isEqualTo(Outcome.Failure.Kind.TRANSIENT);
    assertThat(failure.toFailure().reason()).isEqualTo(Reason.UNREACHABLE);
    return failure.toFailure().message();
  }

  @Test
  void aNameThatDoesNotResolveIsSaid() {
    SshConnector lost =
        new SshjConnector(
            SshSettings.DEFAULT,
            AddressPolicy.strict(),
            host -> {
              throw new UnknownHostException(host);
            });
    assertThat(failure(lost.connect(unknown("nowhere.example"), soon())))
        .isEqualTo(new SshFailure.NameNotResolved());
  }

  @Test
  void anAddressInsideIsNeverDialled() throws Exception {
    SshConnector strict =
        new SshjConnector(
            SshSettings.DEFAULT,
            AddressPolicy.strict(),
            host -> List.of(InetAddress.getByName("127.0.0.1")));
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      listener.setSoTimeout(300);
      SshTarget target =
          new SshTarget(
              "rebound.example",
              listener.getLocalPort(),
              "root",
              false,
              new HostKeyPin.Unpinned(),
              GOOD);

      assertThat(failure(strict.connect(target, soon())))
          .isEqualTo(new SshFailure.AddressNotAllowed("127.0.0.1", "it is a loopback address"));
      assertThatThrownBy(listener::accept).isInstanceOf(SocketTimeoutException.class);
    }
  }

  @Test
  void aNameIsResolvedOnceAndTheFirstAllowedAddressIsDialled() throws Exception {
    KeyPair key = keyPair("ssh-ed25519");
    SshServer server = sshd.start(key);
    List<String> asked = new CopyOnWriteArrayList<>();
    SshConnector named =
        new SshjConnector(
            SshSettings.DEFAULT,
            new AddressPolicy(List.of(Cidr.parse("127.0.0.1")), List.of()),
            host -> {
              asked.add(host);
              return List.of(
                  InetAddress.getByName("169.254.169.254"), InetAddress.getByName("127.0.0.1"));
            });
    SshTarget target =
        new SshTarget(
            "vm.example", server.getPort(), SshServerExtension.USER, false, pin(key), GOOD);

    try (SshSession session = session(named.connect(target, soon()))) {
      assertThat(session.contact().address()).isEqualTo("127.0.0.1");
    }
    assertThat(asked).containsExactly("vm.example");
  }

  @Test
  void aClosedPortIsUnreachable() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    SshTarget target =
        new SshTarget("127.0.0.1", port, "root", false, new HostKeyPin.Unpinned(), GOOD);

    assertThat(failure(connector.connect(target, soon())))
        .isEqualTo(new SshFailure.Unreachable("nothing accepts connections on the machine's port"));
  }

  @Test
  void aPortThatSaysNothingEndsAtTheDeadline() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      SshTarget target =
          new SshTarget(
              "127.0.0.1", silent.getLocalPort(), "root", false, new HostKeyPin.Unpinned(), GOOD);
      long started = System.nanoTime();

      assertThat(failure(connector.connect(target, Deadline.in(Duration.ofMillis(300)))))
          .isInstanceOf(SshFailure.TimedOut.class);
      assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(3));
    }
  }

  @Test
  void aPortThatDripsEndsAtTheDeadline() throws Exception {
    try (ServerSocket dripping = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual()
          .start(
              () -> {
                try (var socket = dripping.accept()) {
                  while (true) {
                    socket.getOutputStream().write('x');
                    socket.getOutputStream().write('\n');
                    LockSupport.parkNanos(20_000_000);
                  }
                } catch (IOException e) {
                  // The client has gone, as it should.
                }
              });
      SshTarget target =
          new SshTarget(
              "127.0.0.1", dripping.getLocalPort(), "root", false, new HostKeyPin.Unpinned(), GOOD);

      assertThat(failure(connector.connect(target, Deadline.in(Duration.ofMillis(400)))))
          .isInstanceOfAny(SshFailure.TimedOut.class, SshFailure.Unreachable.class);
    }
  }

  private static HostKeyPin pin(KeyPair key) {
    return new HostKeyPin.Key(hostKey(key));
  }

  private static SshTarget unknown(String host) {
    return new SshTarget(host, 22, "root", false, new HostKeyPin.Unpinned(), GOOD);
  }

  private SshSession connected(SshTarget target) {
    return session(connector.connect(target, soon()));
  }

  private SshConnector.Connection.Refused refused(SshTarget target) {
    return (SshConnector.Connection.Refused) connector.connect(target, soon());
  }

  private static SshSession session(SshConnector.Connection connection) {
    assertThat(connection).isInstanceOf(SshConnector.Connection.Connected.class);
    return ((SshConnector.Connection.Connected) connection).session();
  }

  private static SshFailure failure(SshConnector.Connection connection) {
    assertThat(connection).isInstanceOf(SshConnector.Connection.Refused.class);
    return ((SshConnector.Connection.Refused) connection).failure();
  }

  private static Deadline soon() {
    return Deadline.in(Duration.ofSeconds(20));
  }
}
