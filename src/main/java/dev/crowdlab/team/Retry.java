package dev.crowdlab.team;

import dev.crowdlab.api.Backoff;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.core.Times;
import java.time.Duration;
import java.time.Instant;
import java.util.random.RandomGenerator;

/** Backs off, with facts that survive in status. */
final class Retry {

  private final RandomGenerator random;

  Retry(RandomGenerator random) {
    this.random = random;
  }

  /** The status after one more failure of the same generation. */
  LabTeamStatus failed(
      LabTeamStatus status, long generation, Duration first, Duration most, Instant now) {
    Backoff before = status.backoff();
    int attempts =
        (before == null || before.generation() != generation ? 0 : before.attempts()) + 1;
    Duration delay = Decision.delay(attempts, first, most);
    // Up to a fifth more, so that teams that failed together do not come back together.
    long jitter = delay.toMillis() <= 4 ? 0 : random.nextLong(delay.toMillis() / 5 + 1);
    Instant next = now.plus(delay).plusMillis(jitter);
    return status.toBuilder()
        .backoff(new Backoff(attempts, Times.format(next), generation))
        .build();
  }

  /** What failed may succeed now: the next attempt is due, as if it were the first. */
  static LabTeamStatus atOnce(LabTeamStatus status, long generation, Instant now) {
    return status.toBuilder().backoff(new Backoff(0, Times.format(now), generation)).build();
  }

  /** The next attempt is under way, or its step has succeeded: nothing is waited for. */
  static LabTeamStatus underWay(LabTeamStatus status, long generation) {
    Backoff before = status.backoff();
    if (before == null || before.nextAttempt() == null) {
      return status;
    }
    int attempts = before.generation() == generation ? before.attempts() : 0;
    return status.toBuilder().backoff(new Backoff(attempts, null, generation)).build();
  }

  /** How long until the next attempt. */
  static Duration left(LabTeamStatus status, Instant now) {
    Backoff backoff = status.backoff();
    if (backoff == null || backoff.nextAttempt() == null) {
      return Duration.ZERO;
    }
    Duration left = Duration.between(now, Times.parse(backoff.nextAttempt()));
    return left.isNegative() ? Duration.ZERO : left;
  }
}
