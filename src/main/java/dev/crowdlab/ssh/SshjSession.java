package dev.crowdlab.ssh;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.core.Deadline;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import net.schmizz.keepalive.KeepAliveRunner;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.common.DisconnectReason;
import net.schmizz.sshj.transport.TransportException;
import net.schmizz.sshj.userauth.UserAuthException;
import net.schmizz.sshj.userauth.keyprovider.KeyProvider;
import net.schmizz.sshj.userauth.method.AuthKeyboardInteractive;
import net.schmizz.sshj.userauth.method.AuthMethod;
import net.schmizz.sshj.userauth.method.AuthPassword;
import net.schmizz.sshj.userauth.method.AuthPublickey;
import net.schmizz.sshj.userauth.method.PasswordResponseProvider;
import net.schmizz.sshj.userauth.password.PasswordUtils;
import org.jspecify.annotations.Nullable;

/**
 * {@link SshSession} with sshj. The socket is ours: closing it is the one thing that ends every
 * wait inside sshj, whose own timeouts do not cover writes.
 */
final class SshjSession implements SshSession {

  private static final int MAX_SILENT = 3;

  /** How much longer than our deadline the machine lets a script run. */
  private static final Duration REMOTE_GRACE = Duration.ofSeconds(2);

  private final SshTarget target;
  private final Socket socket;
  private final SSHClient client;
  private final Deadline connectDeadline;
  private final CompletableFuture<@Nullable Void> closed = new CompletableFuture<>();
  private Duration roundTrip = Duration.ZERO;
  private @Nullable Contact contact;

  private SshjSession(SshTarget target, Socket socket, SSHClient client, Deadline deadline) {
    this.target = target;
    this.socket = socket;
    this.client = client;
    this.connectDeadline = deadline;
  }

  /** A connection after the key exchange. */
  sealed interface Dialled {

    /** The pinned key was presented. */
    record Trusted(SshjSession session) implements Dialled {}

    /** Another one was; the connection is closed, nothing was sent. */
    record Untrusted(HostKey presented) implements Dialled {}
  }

  static Dialled dial(
      SshTarget target,
      InetSocketAddress to,
      PinVerifier verifier,
      SshSettings settings,
      Deadline deadline)
      throws SshException {
    Socket socket = new Socket();
    SSHClient client = new SSHClient(Algorithms.config());
    SshjSession session = new SshjSession(target, socket, client, deadline);
    boolean trusted = false;
    try (var _ = new Watchdog(deadline, session::abort)) {
      client.addHostKeyVerifier(verifier);
      // sshj tells it here first; its own flags follow when its threads have ended.
      client.getTransport().setDisconnectListener((reason, message) -> session.lost());
      client.getTransport().setTimeoutMs(Math.toIntExact(settings.replyTimeout().toMillis()));
      client.getConnection().setTimeoutMs(Math.toIntExact(settings.replyTimeout().toMillis()));
      client
          .getConnection()
          .getKeepAlive()
          .setKeepAliveInterval(Math.toIntExact(settings.keepAlive().toSeconds()));
      if (client.getConnection().getKeepAlive() instanceof KeepAliveRunner runner) {
        runner.setMaxAliveCount(MAX_SILENT);
      }
      socket.setTcpNoDelay(true);
      long dialled = System.nanoTime();
      socket.connect(
          to, Math.toIntExact(Math.max(1, min(settings.connectTimeout(), deadline).toMillis())));
      session.roundTrip = Duration.ofNanos(System.nanoTime() - dialled);
      client.setTimeout(Math.toIntExact(settings.replyTimeout().toMillis()));
      client.setSocketFactory(new GivenSocket(socket));
      client.connect(to.getAddress().getHostAddress(), to.getPort());
      trusted = true;
      return new Dialled.Trusted(session);
    } catch (IOException e) {
      HostKey presented = verifier.presented();
      if (presented != null
          && e instanceof TransportException t
          && t.getDisconnectReason() == DisconnectReason.HOST_KEY_NOT_VERIFIABLE) {
        return new Dialled.Untrusted(presented);
      }
      if (deadline.passed()) {
        throw new SshException(new SshFailure.TimedOut("connecting"), e);
      }
      Optional<SshFailure> unsettled = Algorithms.unsettled(e);
      if (unsettled.isPresent()) {
        throw new SshException(unsettled.get(), e);
      }
      throw new SshException(SshjConnector.unreachable(e), e);
    } finally {
      if (!trusted) {
        session.close();
      }
    }
  }

  /** Sends the credentials; closes the connection when they are refused. */
  SshjSession authenticate(@Nullable KeyProvider key, Supplier<Contact> contactNow)
      throws SshException {
    boolean authenticated = false;
    try (var _ = new Watchdog(connectDeadline, this::abort)) {
      client.auth(target.user(), methods(key));
      contact = contactNow.get();
      authenticated = true;
      return this;
    } catch (IOException e) {
      if (connectDeadline.passed()) {
        throw new SshException(new SshFailure.TimedOut("authenticating"), e);
      }
      if (e instanceof UserAuthException && client.getTransport().isRunning()) {
        String accepts = String.join(", ", client.getUserAuth().getAllowedMethods());
        throw new SshException(
            new SshFailure.AuthenticationFailed(target.user(), Text.printable(accepts, 100)), e);
      }
      throw new SshException(new SshFailure.ConnectionLost("authenticating"), e);
    } finally {
      if (!authenticated) {
        close();
      }
    }
  }

  @Override
  public Duration roundTrip() {
    return roundTrip;
  }

  @Override
  public void whenClosed(Runnable action) {
    Thread.ofVirtual()
        .name("ssh-closed")
        .start(
            () -> {
              closed.join();
              action.run();
            });
  }

  private List<AuthMethod> methods(@Nullable KeyProvider key) {
    List<AuthMethod> methods = new ArrayList<>();
    if (key != null) {
      methods.add(new AuthPublickey(key));
    }
    String password = target.credentials().password();
    if (password != null) {
      methods.add(new AuthPassword(PasswordUtils.createOneOff(password.toCharArray())));
      methods.add(
          new AuthKeyboardInteractive(
              new PasswordResponseProvider(PasswordUtils.createOneOff(password.toCharArray()))));
    }
    return methods;
  }

  @Override
  public Contact contact() {
    return requireNonNull(contact, "authenticate first");
  }

  @Override
  public boolean isOpen() {
    return !closed.isDone() && client.isConnected() && client.getTransport().isRunning();
  }

  @Override
  public Result exec(List<String> words, Payload stdin, int outputLimit, Deadline deadline)
      throws SshException {
    // A machine that does not even answer the request loses the connection.
    Deadline patience = Deadline.in(deadline.left().plus(RemoteCommand.CLOSE_GRACE));
    try (var _ = new Watchdog(patience, this::abort)) {
      if (!isOpen()) {
        throw new SshException(new SshFailure.ConnectionLost("it was idle"));
      }
      return new RemoteCommand(this::abort, outputLimit, deadline)
          .run(client, Shell.line(words), stdin);
    } finally {
      if (!isOpen()) {
        close();
      }
    }
  }

  @Override
  public Result run(
      Script script,
      Map<String, String> arguments,
      Payload payload,
      int outputLimit,
      Deadline deadline)
      throws SshException {
    List<String> words = new ArrayList<>(List.of("env", "LC_ALL=C"));
    if (target.sudo()) {
      words.addAll(List.of("sudo", "-n", "--"));
    }
    long seconds = deadline.left().plus(REMOTE_GRACE).toSeconds() + 1;
    words.addAll(List.of("timeout", "-k", "5", Long.toString(seconds)));
    words.addAll(script.words());
    Result result = exec(words, script.input(arguments, payload), outputLimit, deadline);
    if (target.sudo() && sudoRefused(result)) {
      throw new SshException(new SshFailure.SudoRefused(target.user()));
    }
    return result;
  }

  /** Our scripts never call sudo, so a complaint of sudo is about the one call before them. */
  private static boolean sudoRefused(Result result) {
    return result.exit() != 0
        && result.stdout().isEmpty()
        && result
            .stderr()
            .lines()
            .anyMatch(
                line ->
                    line.startsWith("sudo:")
                        || line.contains("sudo: not found")
                        || line.contains("is not in the sudoers file")
                        || line.contains("‘sudo’: No such file")
                        || line.contains("'sudo': No such file"));
  }

  private void lost() {
    closed.complete(null);
  }

  /** Ends every wait on this connection at once. */
  private void abort() {
    try {
      socket.close();
    } catch (IOException e) {
      // Closed it is.
    }
  }

  @Override
  public void close() {
    lost();
    if (!client.getTransport().isRunning() || !client.getTransport().isAuthenticated()) {
      abort();
    }
    try (var _ = new Watchdog(Deadline.in(Duration.ofSeconds(1)), this::abort)) {
      client.disconnect();
    } catch (IOException e) {
      // There is nobody left to be told.
    } finally {
      abort();
    }
  }

  private static Duration min(Duration duration, Deadline deadline) {
    return deadline.atMost(duration).left();
  }
}
