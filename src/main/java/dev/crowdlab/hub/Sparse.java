package dev.crowdlab.hub;

import java.time.Duration;
import java.util.OptionalLong;

/**
 * Decides which of many like events is worth a line: the first, and then one in each period.
 *
 * <p>Thread-safe.
 */
final class Sparse {

  private final long period;
  private boolean any;
  private long saidAt;
  private long unsaid;

  Sparse(Duration period) {
    this.period = period.toNanos();
  }

  /** When this one is to be said: how many since the last one were not. */
  synchronized OptionalLong turn(long nano) {
    if (any && nano - saidAt < period) {
      unsaid++;
      return OptionalLong.empty();
    }
    long others = unsaid;
    any = true;
    saidAt = nano;
    unsaid = 0;
    return OptionalLong.of(others);
  }
}
