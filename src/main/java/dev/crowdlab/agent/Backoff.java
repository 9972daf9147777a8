package dev.crowdlab.agent;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * The pause before the next attempt to connect: a tenth of a second at first, doubled up to ten
 * seconds, each time a random part of it less (at most half), so that many agents that lost one hub
 * do not come back in step.
 */
final class Backoff {

  private static final long FIRST_MILLIS = 100;
  private static final long LONGEST_MILLIS = 10_000;

  private final RandomGenerator random;
  private int failures;

  Backoff(RandomGenerator random) {
    this.random = random;
  }

  void reset() {
    failures = 0;
  }

  Duration next() {
    long whole = Math.min(LONGEST_MILLIS, FIRST_MILLIS << Math.min(16, failures));
    failures++;
    return Duration.ofMillis(whole - random.nextLong(whole / 2 + 1));
  }
}
