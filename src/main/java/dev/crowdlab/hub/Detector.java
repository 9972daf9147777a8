package dev.crowdlab.hub;

import java.time.Duration;

/**
 * Decides from what is known of a VM whether it lives. Pure: the same signals give the same
 * verdict.
 */
@FunctionalInterface
interface Detector {

  Verdict judge(Signals signals);

  /** See the records of {@link VmHealth} that they become. */
  enum Verdict {
    AWAITED,
    ALIVE,
    SUSPECT,
    AGENT_DOWN,
    AGENT_HUNG,
    VM_LOST,
    VM_HUNG,
    CONFLICT;

    /** Whether something is held against the VM or its agent, and probes shall tell more. */
    boolean doubtful() {
      return switch (this) {
        case SUSPECT, AGENT_DOWN, AGENT_HUNG, VM_LOST, VM_HUNG -> true;
        case AWAITED, ALIVE, CONFLICT -> false;
      };
    }

    /** Whether the VM's teams have to go elsewhere. */
    boolean loss() {
      return this == VM_LOST || this == VM_HUNG;
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
  enum Evidence {
    /** No round has ended yet. */
    UNKNOWN,
    /** sshd said who it is, or let us in. */
    ANSWERED,
    /** The machine refused the connection: its kernel lives, and has no sshd. */
    REFUSED,
    /** The machine took the connection, and neither said anything nor let us in. */
    MUTE,
    /** Nothing came back. */
    SILENT
  }

  /**
   * What is known of a VM now.
   *
   * @param before the last verdict
   * @param contested two sessions answer for it
   * @param silence since the last frame, or since we could have heard one (the hub opened, the VM
   *     was first watched, we stood still)
   * @param bound a longer silence is suspicious, by the heartbeats before it
   * @param suspected for how long the suspicion lasts; zero without one
   * @param sshdWasSilent sshd did not answer before either, while the agent was well: that it does
   *     not answer now proves nothing
   */
  record Signals(
      Verdict before,
      Link link,
      boolean contested,
      Duration silence,
      Duration bound,
      Duration suspected,
      Evidence evidence,
      boolean sshdWasSilent) {}
}
