package dev.crowdlab.ssh;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.shell.ProcessShellFactory;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * SSH servers in this process, on loopback, that run commands with the real /bin/sh. They note
 * every attempt to authenticate.
 */
public final class SshServerExtension implements AfterEachCallback {

  public static final String USER = "tester";
  public static final String PASSWORD = "correct horse";

  private final List<SshServer> servers = new ArrayList<>();
  private final List<String> attempts = new CopyOnWriteArrayList<>();
  private final List<PublicKey> authorized = new CopyOnWriteArrayList<>();

  /** A key pair of an OpenSSH type. */
  public static KeyPair keyPair(String type) {
    try {
      return KeyUtils.generateKeyPair(
          type,
          switch (type) {
            case "ssh-rsa" -> 2048;
            case "ecdsa-sha2-nistp256", "ssh-ed25519" -> 256;
            case "ecdsa-sha2-nistp384" -> 384;
            case "ecdsa-sha2-nistp521" -> 521;
            default -> throw new IllegalArgumentException(type);
          });
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  public static HostKey hostKey(KeyPair pair) {
    ByteArrayBuffer buffer = new ByteArrayBuffer();
    buffer.putRawPublicKey(pair.getPublic());
    return new HostKey(
        Objects.requireNonNull(KeyUtils.getKeyType(pair)),
        Base64.getEncoder().encodeToString(buffer.getCompactData()));
  }

  /** Lets the key log in. */
  public void authorize(PublicKey key) {
    authorized.add(key);
  }

  /** What was tried, in order: the methods' names. */
  public List<String> attempts() {
    return List.copyOf(attempts);
  }

  /** Starts a server with these host keys, on a port of its own; 0 takes any. */
  public SshServer start(int port, KeyPair... hostKeys) throws IOException {
    SshServer server = SshServer.setUpDefaultServer();
    server.setHost("127.0.0.1");
    server.setPort(port);
    server.setKeyPairProvider(KeyPairProvider.wrap(hostKeys));
    server.setPasswordAuthenticator(
        (user, password, session) -> {
          attempts.add("password");
          return USER.equals(user) && PASSWORD.equals(password);
        });
    server.setPublickeyAuthenticator(
        (user, key, session) -> {
          attempts.add("publickey");
          return USER.equals(user)
              && authorized.stream().anyMatch(known -> KeyUtils.compareKeys(known, key));
        });
    server.setCommandFactory(
        (channel, command) ->
            new ProcessShellFactory(command, "/bin/sh", "-c", command).createShell(channel));
    server.start();
    servers.add(server);
    return server;
  }

  public SshServer start(KeyPair... hostKeys) throws IOException {
    return start(0, hostKeys);
  }

  /** Where to find the server. */
  public static SshTarget target(SshServer server, HostKeyPin pin, SshCredentials credentials) {
    return new SshTarget("127.0.0.1", server.getPort(), USER, false, pin, credentials);
  }

  /** A connector that may dial loopback. */
  public static SshConnector connector() {
    return new SshjConnector(
        new SshSettings(Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ofSeconds(1), 4),
        new AddressPolicy(List.of(Cidr.parse("127.0.0.0/8")), List.of()),
        Resolver.system());
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    for (SshServer server : servers) {
      server.stop(true);
    }
    servers.clear();
    attempts.clear();
    authorized.clear();
  }
}
