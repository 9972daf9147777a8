package dev.crowdlab.vm;

import dev.crowdlab.api.Reason;
import dev.crowdlab.api.Voice;
import dev.crowdlab.api.Wish;
import dev.crowdlab.core.Times;
import dev.crowdlab.protocol.FromAgent.Notice;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What stands of a contributor's voice: pure functions of what is known and what the machine's
 * agent says. What is known outlives operators and agents; each new session of the agent says anew
 * what its owner wants.
 */
final class Voices {

  private Voices() {}

  /** What stands after the agent said so, or said nothing. */
  static @Nullable Voice next(@Nullable Voice known, Optional<Notice.Kind> said, Instant now) {
    if (said.isEmpty() || (known != null && known.hasLeft())) {
      return known;
    }
    return switch (said.get()) {
      case RESUME -> null;
      case PAUSE -> wish(known, Wish.PAUSE, now);
      case LEAVE -> wish(known, Wish.LEAVE, now);
      // The agent stops also because it is being taken away.
      case STOPPING ->
          known != null && known.wish() == Wish.LEAVE ? known : wish(known, Wish.STOP, now);
    };
  }

  private static Voice wish(@Nullable Voice known, Wish wish, Instant now) {
    return known != null && known.wish() == wish ? known : new Voice(wish, Times.format(now));
  }

  /**
   * The machine was cleaned, and nothing else makes it count as left: its contributor has it back.
   */
  static Voice left(Voice leave, Instant now) {
    return new Voice(
        Wish.LEAVE, leave.since(), Times.format(now), "l" + Long.toString(now.toEpochMilli(), 36));
  }

  static boolean hasLeft(@Nullable Voice voice) {
    return voice != null && voice.hasLeft();
  }

  /** Whether it is on its way to leaving. */
  static boolean isLeaving(@Nullable Voice voice) {
    return voice != null && voice.wish() == Wish.LEAVE && !voice.hasLeft();
  }

  static boolean isStopped(@Nullable Voice voice) {
    return voice != null && voice.wish() == Wish.STOP;
  }

  /** A change as people are told of it. */
  record News(Reason reason, String note) {}

  /** What to tell of a change, if it is one. */
  static Optional<News> news(@Nullable Voice before, @Nullable Voice after) {
    Wish was = before == null ? null : before.wish();
    Wish is = after == null ? null : after.wish();
    if (Objects.equals(was, is)) {
      return Optional.empty();
    }
    return Optional.of(
        switch (is) {
          case null ->
              new News(
                  Reason.CONTRIBUTOR_RESUMED,
                  was == Wish.STOP
                      ? "Its owner started it again"
                      : "Its contributor lends it again");
          case PAUSE ->
              new News(
                  Reason.CONTRIBUTOR_PAUSED,
                  "Its contributor paused it: its teams move away, and nothing new comes");
          case LEAVE ->
              new News(
                  Reason.LEAVING,
                  "Its contributor wants it back: its teams move away, then all of ours goes");
          case STOP ->
              new News(
                  Reason.STOPPED,
                  "Its owner stops the agent, or the machine, in order: its teams move away");
        });
  }
}
