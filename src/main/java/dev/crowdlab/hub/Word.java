package dev.crowdlab.hub;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a session says of one matter, and what of that counts: the last word wins, and to say the
 * same again is no news. Guarded by its {@link VmDesk}.
 */
final class Word<T> {

  private @Nullable T said;
  private @Nullable T counts;

  /** It was said; it counts once it is {@link #take taken}. */
  void say(T word) {
    said = word;
  }

  /** What was said last, whether it counts or not. */
  Optional<T> said() {
    return Optional.ofNullable(said);
  }

  /** What counts. */
  Optional<T> counts() {
    return Optional.ofNullable(counts);
  }

  /** Whether what was said last does not count yet. */
  boolean isNews() {
    return said != null && !said.equals(counts);
  }

  /** What was said last counts from now on. */
  void take() {
    counts = said;
  }

  /**
   * When a VM's words of one matter may count: a change costs a write of the VM's status and looks
   * at its teams, so there is a time between two.
   */
  static final class Turns {
    private final Duration atMostEvery;
    private long next;

    Turns(Duration atMostEvery, long now) {
      this.atMostEvery = atMostEvery;
      this.next = now;
    }

    /** From when on a change counts, on the monotonic clock. */
    long next() {
      return next;
    }

    boolean isDue(long now) {
      return now - next >= 0;
    }

    void taken(long now) {
      next = now + atMostEvery.toNanos();
    }
  }
}
