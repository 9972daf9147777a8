package dev.crowdlab.hub;

import java.time.Duration;

/**
 * Decides from what is known of a VM whether it lives. Pure: the same signals give the same
 * verdict.
 */
@FunctionalInterface
interface Detector {

  Verdict judge(Signals signals);

  /** See the records of {@link VmHealth} of the same names. */
  enum Verdict {
    AWAITED,
    ALIVE,
    SUSPECT,
    AGENT_DOWN,
    LOST,
    CONFLICT;

    /** Whether something is held against the VM or its agent, and probes shall tell more. */
    boolean doubtful() {
      return switch (this) {
        case SUSPECT, AGENT_DOWN, LOST -> true;
        case AWAITED, ALIVE, CONFLICT -> false;
      };
    }
  }

  /** The agent's socket. */
  enum Link {
    /** None since the hub opened or the VM is watched. */
    NEVER,
    OPEN,
    CLOSED
  }

  /** What the last whole round of probes of this suspicion found. */
  enum Probed {
    /** No round has ended yet. */
    UNKNOWN,
    /** One answered: it lives. */
    ANSWERED,
    /** None did. */
    SILENT
  }

  /**
   * What is known of a VM now.
   *
   * @param contested two sessions answer for it
   * @param silence since the last frame, or since we could have heard one (the hub opened, the VM
   *     was first watched, we stood still)
   * @param fast whether the agent was told the fast cadence, and has used it
   * @param suspected for how long the suspicion lasts; zero without one
   */
  record Signals(
      Link link,
      boolean contested,
      Duration silence,
      boolean fast,
      Duration suspected,
      Probed probed) {}
}
