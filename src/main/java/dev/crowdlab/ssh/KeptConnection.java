package dev.crowdlab.ssh;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection that is kept open and made anew when it is lost, before anybody needs it: the file
 * server's. A thread of its own supervises it; keep-alives tell it of a silent death.
 */
public final class KeptConnection implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(KeptConnection.class);

  /** Below sshd's MaxSessions, 10 by default. */
  private static final int MAX_COMMANDS = 8;

  private static final Duration CONNECT_BOUND = Duration.ofSeconds(15);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  /**
   * Refused credentials and changed keys: knocking on would only get us locked out. Another target
   * is tried at once.
   */
  private static final Duration REFUSED_PAUSE = Duration.ofSeconds(30);

  /** How soon a target that was corrected is seen. */
  private static final Duration LOOK = Duration.ofMillis(500);

  private final String name;
  private final SshConnector connector;
  private final Supplier<Outcome<SshTarget>> target;
  private final RandomGenerator random;
  private final Semaphore commands = new Semaphore(MAX_COMMANDS, true);
  private final Thread supervisor;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private @Nullable SshSession session;
  private @Nullable SshFailure failure;
  private long attempts;
  private boolean started;
  private boolean closed;
  private volatile Runnable connected = () -> {};

  /**
   * Connects when it is started or first used.
   *
   * @param name for log lines
   * @param target asked before each attempt, so that a changed Secret is used; it must not throw
   */
  public KeptConnection(
      String name,
      SshConnector connector,
      Supplier<Outcome<SshTarget>> target,
      RandomGenerator random) {
    this.name = requireNonNull(name, "name");
    this.connector = requireNonNull(connector, "connector");
    this.target = requireNonNull(target, "target");
    this.random = requireNonNull(random, "random");
    this.supervisor = Thread.ofVirtual().name("ssh-kept-" + name).unstarted(this::supervise);
  }

  /** Connects now and from now on, whether or not anybody uses it; does nothing when it does. */
  public void start() {
    lock.lock();
    try {
      if (!started && !closed) {
        started = true;
        supervisor.start();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Has somebody, in place of whoever was before, told of each connection that is made. */
  public void whenConnected(Runnable told) {
    connected = requireNonNull(told, "told");
  }

  /** What is done with a session; may be done twice when the connection breaks meanwhile. */
  @FunctionalInterface
  public interface Use<T> {
    T with(SshSession session) throws SshException;
  }

  /**
   * Does the work on the kept session, waiting for one when there is none; when the connection
   * turns out to be broken, once more on a new one. Work must therefore be idempotent.
   *
   * @throws SshException when there is no session by the deadline or an attempt to make one fails
   *     meanwhile, and what the work throws
   */
  public <T> T use(Use<T> work, Deadline deadline) throws SshException {
    start();
    acquire(deadline);
    try {
      SshSession first = await(deadline);
      try {
        return work.with(first);
      } catch (SshException e) {
        if (!(e.failure() instanceof SshFailure.ConnectionLost) || deadline.passed()) {
          throw e;
        }
        first.close();
        lost(first);
        return work.with(await(deadline));
      }
    } finally {
      commands.release();
    }
  }

  /** What the present connection learnt; empty when there is none. */
  public Optional<Contact> contact() {
    lock.lock();
    try {
      return Optional.ofNullable(session).filter(SshSession::isOpen).map(SshSession::contact);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    SshSession last;
    lock.lock();
    try {
      closed = true;
      last = session;
      session = null;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (last != null) {
      last.close();
    }
    supervisor.interrupt();
  }

  private void acquire(Deadline deadline) throws SshException {
    try {
      if (!commands.tryAcquire(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new SshException(new SshFailure.TimedOut("other commands were running"));
      }
    } catch (InterruptedException e) {
      throw stopping(e);
    }
  }

  private SshSession await(Deadline deadline) throws SshException {
    lock.lock();
    try {
      long before = attempts;
      while (true) {
        if (closed) {
          throw new SshException(new SshFailure.ConnectionLost("the operator was stopping"));
        }
        SshSession open = session;
        if (open != null && open.isOpen()) {
          return open;
        }
        SshFailure last = failure;
        if (last != null && (attempts > before || isRefusal(last))) {
          throw new SshException(last);
        }
        long left = deadline.left().toNanos();
        if (left == 0) {
          throw new SshException(last != null ? last : new SshFailure.TimedOut("connecting"));
        }
        changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      throw stopping(e);
    } finally {
      lock.unlock();
    }
  }

  private void supervise() {
    Duration pause = FIRST_PAUSE;
    try {
      while (awaitNeed()) {
        switch (target.get()) {
          case Outcome.Failed<SshTarget>(Outcome.Failure why) -> {
            record(null, new SshFailure.NoTarget(why));
            rest(LOOK);
          }
          case Outcome.InProgress<SshTarget> _ -> rest(LOOK);
          case Outcome.Done<SshTarget>(SshTarget to) -> pause = attempt(to, pause);
        }
      }
    } catch (InterruptedException e) {
      // close() ends this thread.
    }
  }

  /** Returns the pause after the next attempt, should that fail. */
  private Duration attempt(SshTarget to, Duration pause) throws InterruptedException {
    return switch (connector.connect(to, Deadline.in(CONNECT_BOUND))) {
      case SshConnector.Connection.Connected(SshSession fresh) -> {
        LOG.info("{}: connected to {}", name, fresh.contact().address());
        record(fresh, null);
        // Told at once when it is lost already.
        fresh.whenClosed(() -> lost(fresh));
        tell();
        yield FIRST_PAUSE;
      }
      case SshConnector.Connection.Refused(SshFailure why, Contact _) -> {
        record(null, why);
        if (isRefusal(why)) {
          restUntilCorrected(to);
        } else {
          rest(jittered(pause));
        }
        yield min(pause.multipliedBy(2), LONGEST_PAUSE);
      }
    };
  }

  private void tell() {
    try {
      connected.run();
    } catch (RuntimeException e) {
      LOG.error("{}: who was to hear of the connection failed", name, e);
    }
  }

  private void restUntilCorrected(SshTarget refused) throws InterruptedException {
    Deadline end = Deadline.in(REFUSED_PAUSE);
    while (!end.passed() && target.get().equals(Outcome.done(refused)) && rest(LOOK)) {
      // Still the same, and still wanted.
    }
  }

  /** False when closed. */
  private boolean awaitNeed() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!closed && session != null && session.isOpen()) {
        changed.await();
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  /** False when closed. */
  private boolean rest(Duration pause) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = pause.toNanos();
      while (!closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void record(@Nullable SshSession fresh, @Nullable SshFailure why) {
    lock.lock();
    try {
      if (closed && fresh != null) {
        fresh.close();
        return;
      }
      if (why != null && !why.equals(failure)) {
        LOG.warn("{}: {}", name, why.toFailure().message());
      }
      session = fresh;
      failure = why;
      attempts++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Has the supervisor make another. Whether the lost one says that it is open does not count: sshj
   * tells of the end while its reader thread is still alive.
   */
  private void lost(SshSession gone) {
    lock.lock();
    try {
      if (gone.equals(session)) {
        session = null;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  private Duration jittered(Duration pause) {
    return Duration.ofNanos((long) (pause.toNanos() * (0.5 + random.nextDouble())));
  }

  private static boolean isRefusal(SshFailure failure) {
    return failure.toFailure().kind() == Outcome.Failure.Kind.TERMINAL;
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) <= 0 ? a : b;
  }

  private static SshException stopping(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new SshException(new SshFailure.ConnectionLost("the operator was stopping"), e);
  }
}
