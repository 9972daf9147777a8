package dev.crowdlab.team;

import dev.crowdlab.core.Outcome;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What became of a step. */
sealed interface Result {

  /** It is done: decide again. */
  record Go() implements Result {}

  /** Somebody else wrote: read again, then decide. */
  record Again() implements Result {}

  /**
   * Nothing more to do now: record it and wait for an event, or at most this long.
   *
   * @param problem what stands in the way, null when it is only a matter of time
   */
  record Park(Duration lookAgain, @Nullable Problem problem) implements Result {}

  /** The team is no more. */
  record Over() implements Result {}

  /** Longer than anything is waited for. */
  Duration FOREVER = Duration.ofDays(10_000);

  /** Nothing more to do before the next event. */
  static Result rest() {
    return new Park(FOREVER, null);
  }

  static Result go() {
    return new Go();
  }

  static Result park(Duration lookAgain) {
    return new Park(lookAgain, null);
  }

  static Result park(Duration lookAgain, Outcome.Failure failure) {
    return new Park(lookAgain, Problem.of(failure));
  }
}
