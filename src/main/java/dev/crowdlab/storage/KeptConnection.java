package dev.crowdlab.storage;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.ssh.Payload;
import dev.crowdlab.ssh.SshConnector;
import dev.crowdlab.ssh.SshConnector.Connection.Connected;
import dev.crowdlab.ssh.SshConnector.Connection.Refused;
import dev.crowdlab.ssh.SshException;
import dev.crowdlab.ssh.SshFailure;
import dev.crowdlab.ssh.SshSession;
import dev.crowdlab.ssh.SshTarget;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one connection to the file server, kept open so that a fence costs one round trip. Its keeper
 * opens it again when it broke, with backoff; a call that finds it broken does so at once.
 */
final class KeptConnection implements AutoCloseable {

  /** What sshd allows on one connection by default is 10 (MaxSessions). */
  private static final int MAX_COMMANDS = 8;

  private static final int MAX_OUTPUT = 64 * 1024;
  private static final Duration CONNECT = Duration.ofSeconds(15);
  private static final Duration LOOK = Duration.ofMillis(500);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);

  /** Seldom enough for sshd's PerSourcePenalties, whose mildest doubling starts at one a second. */
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(15);

  private static final Logger log = LoggerFactory.getLogger(KeptConnection.class);

  private final Supplier<Outcome<SshTarget>> target;
  private final SshConnector connector;
  private final RandomGenerator random;
  private final ReentrantLock connecting = new ReentrantLock();
  private final Semaphore commands = new Semaphore(MAX_COMMANDS, true);
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile @Nullable Open open;

  // guarded by connecting
  private Duration pause = Duration.ZERO;
  private Deadline pauseEnds = Deadline.in(Duration.ZERO);
  private @Nullable Failure lastFailure;

  private record Open(SshSession session, boolean sudo) {}

  /**
   * What a command said.
   *
   * @param address the file server's address, as it was checked and dialled
   */
  record Reply(SshSession.Result result, String address) {}

  KeptConnection(
      Supplier<Outcome<SshTarget>> target, SshConnector connector, RandomGenerator random) {
    this.target = target;
    this.connector = connector;
    this.random = random;
  }

  /** Keeps the connection open from now on, whether or not anybody calls. */
  void keep() {
    Thread.ofVirtual().name("file-server-connection").start(this::keepOpen);
  }

  private void keepOpen() {
    try {
      while (!closed.await(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
        try {
          open(Deadline.in(CONNECT));
        } catch (Unavailable e) {
          // Logged where it was seen first; the pause decides when the next attempt is made.
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Runs a command as root. One that met a connection which had broken unnoticed is sent once more:
   * the script's verbs can be repeated.
   */
  Reply run(List<String> words, Payload stdin, Deadline deadline) throws Unavailable {
    Open first = open;
    boolean reused = first != null && first.session().isOpen();
    try {
      return runOnce(words, stdin, deadline);
    } catch (SshException e) {
      if (!reused || !(e.failure() instanceof SshFailure.ConnectionLost) || deadline.passed()) {
        throw new Unavailable(failure(e.failure()));
      }
    }
    try {
      return runOnce(words, stdin, deadline);
    } catch (SshException e) {
      throw new Unavailable(failure(e.failure()));
    }
  }

  private Reply runOnce(List<String> words, Payload stdin, Deadline deadline)
      throws SshException, Unavailable {
    Open connection = open(deadline);
    try {
      if (!commands.tryAcquire(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new SshException(new SshFailure.TimedOut("waiting for its turn"));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SshException(new SshFailure.ConnectionLost("the operator was stopping"), e);
    }
    try {
      List<String> command = new ArrayList<>();
      if (connection.sudo()) {
        command.addAll(List.of("sudo", "-n", "--"));
      }
      command.addAll(words);
      String address = connection.session().contact().address();
      return new Reply(
          connection.session().exec(command, stdin, MAX_OUTPUT, deadline),
          address == null ? "" : address);
    } finally {
      commands.release();
    }
  }

  private Open open(Deadline deadline) throws Unavailable {
    Open present = open;
    if (present != null && present.session().isOpen()) {
      return present;
    }
    try {
      if (!connecting.tryLock(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new Unavailable(failure(new SshFailure.TimedOut("waiting for the connection")));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Unavailable(failure(new SshFailure.ConnectionLost("the operator was stopping")));
    }
    try {
      present = open;
      if (present != null && present.session().isOpen()) {
        return present;
      }
      if (present != null) {
        log.warn("the connection to the file server broke");
        present.session().close();
        open = null;
      }
      if (lastFailure != null && !pauseEnds.passed()) {
        throw new Unavailable(lastFailure);
      }
      return connect(deadline);
    } finally {
      connecting.unlock();
    }
  }

  /** Called with the lock held. */
  private Open connect(Deadline deadline) throws Unavailable {
    if (closed.getCount() == 0) {
      throw new Unavailable(failure(new SshFailure.ConnectionLost("the operator was stopping")));
    }
    switch (target.get()) {
      case Outcome.Failed<SshTarget>(Failure why) -> throw postponed(why);
      case Outcome.InProgress<SshTarget>(Duration _, String what) ->
          throw postponed(
              new Failure(Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, what));
      case Outcome.Done<SshTarget>(SshTarget to) -> {
        switch (connector.connect(to, deadline.atMost(CONNECT))) {
          case Refused(SshFailure why, _) -> throw postponed(failure(why));
          case Connected(SshSession session) -> {
            return opened(session, to);
          }
        }
      }
    }
  }

  private Open opened(SshSession session, SshTarget to) {
    log.info("connected to the file server {}", to);
    lastFailure = null;
    pause = Duration.ZERO;
    Open connection = new Open(session, to.sudo());
    open = connection;
    if (closed.getCount() == 0) {
      // Closed while it was being made: nobody else would end it.
      session.close();
    }
    return connection;
  }

  private Unavailable postponed(Failure why) {
    if (!why.equals(lastFailure)) {
      log.warn("no connection to the file server: {}", why.message());
    }
    lastFailure = why;
    Duration doubled = pause.isZero() ? FIRST_PAUSE : pause.multipliedBy(2);
    pause = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
    pauseEnds =
        Deadline.in(Duration.ofMillis((long) (pause.toMillis() * random.nextDouble(0.5, 1))));
    return new Unavailable(why);
  }

  /** Everything passes when somebody mends the server or the configuration: nothing is final. */
  static Failure failure(SshFailure why) {
    String message =
        switch (why) {
          case SshFailure.UnknownHostKey(var presented) ->
              "it presents the %s host key %s, and none is configured"
                  .formatted(presented.type(), presented.fingerprint());
          case SshFailure.HostKeyChanged(var presented) ->
              "it presents the %s host key %s, which is not the configured one"
                  .formatted(presented.type(), presented.fingerprint());
          default -> why.toFailure().message();
        };
    return new Failure(
        Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, "the file server: " + message);
  }

  @Override
  public void close() {
    closed.countDown();
    Open present = open;
    if (present != null) {
      present.session().close();
    }
  }
}
