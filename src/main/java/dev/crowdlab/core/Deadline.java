package dev.crowdlab.core;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.concurrent.TimeoutException;

/**
 * The moment by which a call must have come back. It counts on the monotonic clock, so that a jump
 * of the wall clock neither cuts a call short nor lets it hang.
 */
public final class Deadline {

  private final long nanoTime;

  private Deadline(long nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** A deadline {@code duration} from now. */
  public static Deadline in(Duration duration) {
    return new Deadline(System.nanoTime() + requireNonNull(duration, "duration").toNanos());
  }

  /** The time left; zero when the deadline has passed, never negative. */
  public Duration left() {
    return Duration.ofNanos(Math.max(0, nanoTime - System.nanoTime()));
  }

  public boolean passed() {
    return nanoTime - System.nanoTime() <= 0;
  }

  /** The earlier of this deadline and one {@code duration} from now: a step of a longer call. */
  public Deadline atMost(Duration duration) {
    Deadline other = in(duration);
    return other.nanoTime - nanoTime < 0 ? other : this;
  }

  /**
   * The time left, for a call that would take zero for "no limit".
   *
   * @throws TimeoutException when none is left; {@code what} is its message
   */
  public Duration leftOrThrow(String what) throws TimeoutException {
    Duration left = left();
    if (left.isZero()) {
      throw new TimeoutException(what);
    }
    return left;
  }
}
