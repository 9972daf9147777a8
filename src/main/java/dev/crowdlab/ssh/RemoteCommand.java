package dev.crowdlab.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.crowdlab.core.Deadline;
import dev.crowdlab.ssh.SshSession.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.connection.channel.direct.Session;
import net.schmizz.sshj.connection.channel.direct.Signal;

/** One command on one channel: feeds and drains it, and cuts it off at its deadline. */
final class RemoteCommand {

  /** How long a machine may take to accept that a command is cut off. */
  static final Duration CLOSE_GRACE = Duration.ofSeconds(1);

  private static final int MAX_STDERR = 16 * 1024;
  private static final int COPY_BUFFER = 32 * 1024;
  private static final int ENDED_BY_SIGNAL = 128;

  private final Runnable abort;
  private final int outputLimit;
  private final Deadline deadline;
  private final long called = System.nanoTime();
  private final ByteArrayOutputStream stdout = new ByteArrayOutputStream();
  private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
  private volatile long firstOutput;
  private volatile boolean tooMuch;

  /**
   * @param abort ends the whole connection
   */
  RemoteCommand(Runnable abort, int outputLimit, Deadline deadline) {
    this.abort = abort;
    this.outputLimit = outputLimit;
    this.deadline = deadline;
  }

  Result run(SSHClient client, String line, Payload stdin) throws SshException {
    try {
      Session session = client.startSession();
      boolean ended = false;
      try {
        Result result = run(session, line, stdin);
        ended = true;
        return result;
      } finally {
        if (!ended) {
          cutOff(session);
        }
      }
    } catch (IOException | TimeoutException | ExecutionException | IllegalStateException e) {
      // sshj throws IllegalStateException when the connection was lost since we looked.
      throw new SshException(tooMuch ? new SshFailure.TooMuchOutput(outputLimit) : broken(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SshException(new SshFailure.ConnectionLost("the operator was stopping"), e);
    }
  }

  private Result run(Session session, String line, Payload stdin)
      throws IOException, SshException, ExecutionException, TimeoutException, InterruptedException {
    Session.Command command = session.exec(line);
    FutureTask<Boolean> out = new FutureTask<>(() -> read(command.getInputStream()));
    FutureTask<Boolean> err = new FutureTask<>(() -> drain(command.getErrorStream()));
    Thread.ofVirtual().name("ssh-stdout").start(out);
    Thread.ofVirtual().name("ssh-stderr").start(err);
    // A platform thread: when the command ends early its wait for the window must be interrupted
    // (it holds a lock that sshj's reader needs), and an interrupt of a virtual thread would close
    // the socket that it writes to.
    Thread in =
        Thread.ofPlatform()
            .daemon()
            .name("ssh-stdin")
            .start(() -> write(stdin, command.getOutputStream()));
    try {
      command.join(millisLeft(), TimeUnit.MILLISECONDS);
      out.get(millisLeft(), TimeUnit.MILLISECONDS);
      err.get(millisLeft(), TimeUnit.MILLISECONDS);
    } finally {
      in.interrupt();
    }
    long first = firstOutput == 0 ? System.nanoTime() : firstOutput;
    return new Result(
        exitOf(command),
        stdout.toString(UTF_8),
        stderr.toString(UTF_8),
        Duration.ofNanos(first - called));
  }

  /**
   * Tells the machine to end the command, and leaves the channel to end by itself: sshd closes it
   * only when the process is gone. A machine to which not even that can be said loses the
   * connection.
   */
  private void cutOff(Session session) {
    Thread.ofVirtual()
        .name("ssh-cut-off")
        .start(
            () -> {
              try (session) {
                try (var _ = new Watchdog(Deadline.in(CLOSE_GRACE), abort)) {
                  if (session instanceof Session.Command command) {
                    command.signal(Signal.TERM);
                  }
                }
              } catch (IOException e) {
                // The connection is gone, and the channel with it.
              }
            });
  }

  /** Waits end up to a millisecond before the deadline, and sshj wraps what ended them. */
  private SshFailure broken(Throwable thrown) {
    boolean timedOut = deadline.passed();
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      timedOut |= cause instanceof TimeoutException;
    }
    return timedOut
        ? new SshFailure.TimedOut("it carried out a command")
        : new SshFailure.ConnectionLost("it carried out a command");
  }

  private long millisLeft() {
    return Math.max(1, deadline.left().toMillis());
  }

  private static int exitOf(Session.Command command) throws SshException {
    Integer status = command.getExitStatus();
    if (status != null) {
      return status;
    }
    if (command.getExitSignal() != null) {
      return ENDED_BY_SIGNAL;
    }
    throw new SshException(new SshFailure.ConnectionLost("it carried out a command"));
  }

  private boolean read(InputStream in) throws IOException {
    byte[] buffer = new byte[COPY_BUFFER];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      if (firstOutput == 0) {
        firstOutput = System.nanoTime();
      }
      if (stdout.size() + n > outputLimit) {
        tooMuch = true;
        abort.run();
        return false;
      }
      stdout.write(buffer, 0, n);
    }
    return true;
  }

  private boolean drain(InputStream in) {
    byte[] buffer = new byte[COPY_BUFFER];
    try {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        stderr.write(buffer, 0, Math.min(n, MAX_STDERR - stderr.size()));
      }
      return true;
    } catch (IOException e) {
      // The connection broke; standard output or the exit status tells it.
      return false;
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
}
