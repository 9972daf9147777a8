package dev.crowdlab.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.crowdlab.core.Deadline;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import javax.net.SocketFactory;
import net.schmizz.keepalive.KeepAliveRunner;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.common.DisconnectReason;
import net.schmizz.sshj.connection.channel.direct.Session;
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
  private static final int MAX_STDERR = 16 * 1024;
  private static final int COPY_BUFFER = 32 * 1024;

  private static final Duration CLOSE_GRACE = Duration.ofSeconds(1);

  /** How much longer than our deadline the machine lets a script run. */
  private static final Duration REMOTE_GRACE = Duration.ofSeconds(2);

  private final SshTarget target;
  private final Socket socket;
  private final SSHClient client;
  private final Deadline connectDeadline;
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
      client.setSocketFactory(new Connected(socket));
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
      if (String.valueOf(e.getMessage()).contains("Unable to reach a settlement")) {
        throw new SshException(new SshFailure.NoCommonAlgorithm(), e);
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
              try {
                client.getTransport().join();
              } catch (TransportException e) {
                // Lost, which is one way to be closed.
              }
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
    return client.isConnected() && client.getTransport().isRunning();
  }

  @Override
  public Result exec(List<String> words, Payload stdin, int outputLimit, Deadline deadline)
      throws SshException {
    // Time to close the one channel; a machine that does not even answer that loses the connection.
    Deadline patience = Deadline.in(deadline.left().plus(CLOSE_GRACE));
    try (var _ = new Watchdog(patience, this::abort)) {
      return execute(Shell.line(words), stdin, outputLimit, deadline);
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

  private Result execute(String line, Payload stdin, int outputLimit, Deadline deadline)
      throws SshException {
    if (!isOpen()) {
      throw new SshException(new SshFailure.ConnectionLost("it was idle"));
    }
    AtomicBoolean tooMuch = new AtomicBoolean();
    long called = System.nanoTime();
    AtomicLong first = new AtomicLong();
    try (Session session = client.startSession()) {
      Session.Command command = session.exec(line);
      ByteArrayOutputStream stderr = new ByteArrayOutputStream();
      FutureTask<byte[]> out =
          new FutureTask<>(() -> read(command.getInputStream(), outputLimit, tooMuch, first));
      FutureTask<@Nullable Void> err =
          new FutureTask<>(() -> drain(command.getErrorStream(), stderr), null);
      Thread.ofVirtual().name("ssh-stdout").start(out);
      Thread.ofVirtual().name("ssh-stderr").start(err);
      Thread in = writer(stdin, command.getOutputStream());
      try {
        command.join(millis(deadline), TimeUnit.MILLISECONDS);
        byte[] stdout = out.get(millis(deadline), TimeUnit.MILLISECONDS);
        err.get(millis(deadline), TimeUnit.MILLISECONDS);
        first.compareAndSet(0, System.nanoTime());
        return new Result(
            exitOf(command),
            new String(stdout, UTF_8),
            stderr.toString(UTF_8),
            Duration.ofNanos(first.get() - called));
      } finally {
        in.interrupt();
      }
    } catch (IOException | TimeoutException | ExecutionException | IllegalStateException e) {
      // sshj throws IllegalStateException when the connection was lost since we looked.
      throw new SshException(
          tooMuch.get() ? new SshFailure.TooMuchOutput(outputLimit) : broken(deadline), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SshException(new SshFailure.ConnectionLost("the operator was stopping"), e);
    }
  }

  /**
   * A platform thread: when the command ends early its wait for the window must be interrupted (it
   * holds a lock that sshj's reader needs), and an interrupt of a virtual thread would close the
   * socket that it writes to.
   */
  private static Thread writer(Payload stdin, OutputStream out) {
    return Thread.ofPlatform().daemon().name("ssh-stdin").start(() -> write(stdin, out));
  }

  private static long millis(Deadline deadline) {
    return Math.max(1, deadline.left().toMillis());
  }

  private static SshFailure broken(Deadline deadline) {
    return deadline.passed()
        ? new SshFailure.TimedOut("it carried out a command")
        : new SshFailure.ConnectionLost("it carried out a command");
  }

  private static int exitOf(Session.Command command) throws SshException {
    Integer status = command.getExitStatus();
    if (status != null) {
      return status;
    }
    if (command.getExitSignal() != null) {
      return 128;
    }
    throw new SshException(new SshFailure.ConnectionLost("it carried out a command"));
  }

  private byte[] read(InputStream in, int limit, AtomicBoolean tooMuch, AtomicLong first)
      throws IOException {
    ByteArrayOutputStream kept = new ByteArrayOutputStream();
    byte[] buffer = new byte[COPY_BUFFER];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      first.compareAndSet(0, System.nanoTime());
      if (kept.size() + n > limit) {
        tooMuch.set(true);
        abort();
        break;
      }
      kept.write(buffer, 0, n);
    }
    return kept.toByteArray();
  }

  private static void drain(InputStream in, ByteArrayOutputStream kept) {
    byte[] buffer = new byte[COPY_BUFFER];
    try {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        kept.write(buffer, 0, Math.min(n, MAX_STDERR - kept.size()));
      }
    } catch (IOException e) {
      // The connection broke; standard output or the exit status tells it.
    }
  }

  private static void write(Payload stdin, OutputStream out) {
    try (out;
        InputStream in = stdin.open()) {
      in.transferTo(out);
      // sshj's close would drop what the window has no room for.
      out.flush();
    } catch (IOException e) {
      // The command ended before it read all, or the connection broke; its exit status tells it.
    }
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

  /** Hands sshj the socket that is connected to the checked address. */
  private static final class Connected extends SocketFactory {

    private final Socket socket;

    private Connected(Socket socket) {
      this.socket = socket;
    }

    @Override
    public Socket createSocket() {
      return socket;
    }

    @Override
    public Socket createSocket(String host, int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
      throw new UnsupportedOperationException();
    }
  }

  /** Runs an action when a block is not left by the deadline. */
  private static final class Watchdog implements AutoCloseable {

    private final CountDownLatch left = new CountDownLatch(1);

    private Watchdog(Deadline deadline, Runnable action) {
      Thread.ofVirtual()
          .name("ssh-deadline")
          .start(
              () -> {
                try {
                  if (!left.await(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
                    action.run();
                  }
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
    }

    @Override
    public void close() {
      left.countDown();
    }
  }
}
