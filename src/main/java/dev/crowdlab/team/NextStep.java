package dev.crowdlab.team;

import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.route.Routes.Target;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The one thing to do next for a team; {@link Decision} chooses it. */
sealed interface NextStep {

  /** Paused: touch nothing, and say so. */
  record Hold() implements NextStep {}

  /**
   * Deleted: clean up and let go.
   *
   * @param skip let go at once: a person asked, or the bound has passed
   * @param overdue whether it is the bound
   */
  record Remove(boolean skip, boolean overdue) implements NextStep {}

  /**
   * Get a new binding: reserve a place, stop what runs if it can be done in order, write.
   *
   * @param cause what the move is recorded as; null when it is a placement, not a move
   * @param inOrder whether the old machine must first confirm that it stopped
   */
  record Move(@Nullable RecoveryCause cause, boolean inOrder, Wish wish) implements NextStep {}

  /** Give the binding up: suspended or expired. */
  record Unbind(Reason why, boolean inOrder) implements NextStep {}

  /** Bring the file server to where nobody writes. */
  record Seal(long epoch, Reason why) implements NextStep {}

  /** Suspended or expired, and nothing runs. */
  record Rested(Reason why) implements NextStep {}

  /** The machine failed and a person must start the recovery. */
  record AwaitApproval(RecoveryCause cause) implements NextStep {}

  /** The machine's agent is away for the moment. */
  record AwaitAgent() implements NextStep {}

  /** Something failed and is tried again at {@code until}. */
  record BackOff(Instant until) implements NextStep {}

  /** Bring the file server to the binding's epoch. */
  record Fence() implements NextStep {}

  /** The file server knows a later epoch than status: learn which. */
  record LearnEpoch() implements NextStep {}

  /** Have the machine run the exercise. */
  record Run(Memory.Proven proven) implements NextStep {}

  /** The run failed: note when it is tried again. */
  record CountFailure(TeamReport report, RunFailure code) implements NextStep {}

  /** Let the route lead there. */
  record Route(Target.Exercise target) implements NextStep {}

  /** Everything is as the spec asks: close what was open. */
  record ConfirmReady() implements NextStep {}

  /** All is well; but this process has yet to order what another one did. */
  record Register() implements NextStep {}

  /** All is well, or nothing can be told: nothing is to be done. */
  record Settled() implements NextStep {}

  /**
   * Which machine to take, by UID.
   *
   * @param prefer to stay there if it will do
   * @param avoid only if no other will do
   * @param exclude never
   */
  record Wish(@Nullable String prefer, @Nullable String avoid, @Nullable String exclude) {

    static final Wish ANY = new Wish(null, null, null);

    static Wish stay(@Nullable String uid) {
      return new Wish(uid, null, null);
    }

    static Wish ratherNot(@Nullable String uid) {
      return new Wish(null, uid, null);
    }

    static Wish leave(@Nullable String uid) {
      return new Wish(null, null, uid);
    }
  }

  /** Whether it changes anything outside, so that it must be decided on a live read. */
  default boolean acts() {
    return switch (this) {
      case Hold _, Rested _, AwaitApproval _, AwaitAgent _, BackOff _, Settled _ -> false;
      case Remove _,
          Move _,
          Unbind _,
          Seal _,
          Fence _,
          LearnEpoch _,
          Run _,
          CountFailure _,
          Route _,
          ConfirmReady _,
          Register _ ->
          true;
    };
  }
}
