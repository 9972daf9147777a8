package dev.crowdlab.hub;

import java.time.Instant;

/**
 * What the failure detector thinks of a VM, from two independent signals: the agent's session, and
 * a probe of sshd from the operator.
 */
public sealed interface VmHealth {

  /** Nobody asked to watch it. */
  record Unwatched() implements VmHealth {}

  /**
   * No session yet, and nothing to hold against the VM: it was never connected since it is watched,
   * and its grace is not over.
   */
  record Awaited(Instant since) implements VmHealth {}

  /**
   * The agent's heartbeats come.
   *
   * @param sshdAnswers false when several looks at sshd found that it does not: no fault, but
   *     nobody can log in, and probes will prove nothing
   */
  record Alive(Instant lastSeen, boolean sshdAnswers) implements VmHealth {}

  /**
   * Heartbeats are late or the socket closed; probes are under way.
   *
   * @param hold whether it would count as lost, if we did not doubt ourselves
   */
  record Suspect(Instant lastSeen, Instant since, Hold hold) implements VmHealth {}

  /** The agent is gone or hangs and sshd answers: restart the agent, leave the teams. */
  record AgentDown(Instant lastSeen, Instant since, AgentFault fault) implements VmHealth {}

  /**
   * Both signals are gone: the VM is lost. {@code lastSeen} is the last sign of life (of a VM that
   * was not heard since the hub opened: when it was first watched), {@code detected} when the
   * verdict fell.
   */
  record Lost(Instant lastSeen, Instant detected, VmFault fault) implements VmHealth {}

  /** Two sessions claim the identity, and both answer: a person must look. */
  record Conflict(Instant since) implements VmHealth {}

  /** Why a machine that does not answer is not held for lost yet. */
  enum Hold {
    NONE,
    /** We have heard nobody else either: it may be our own network. */
    DEAF,
    /** Too many vanished at once: they are confirmed one by one. */
    STORM,
    /** The same, on a machine on which it is to be said; a storm is not said on each. */
    STORM_TO_SAY
  }

  /** What is wrong with an agent. */
  enum AgentFault {
    /** Its socket is gone. */
    CRASHED,
    /** Its socket stands and nothing comes. */
    HUNG
  }

  /** What is wrong with a VM. */
  enum VmFault {
    /**
     * Nothing comes from it: its power failed, or the network between. Only its return tells which:
     * by a new boot id, or the old one.
     */
    SILENT,
    /** Its kernel takes connections, and nothing else on it answers. */
    HUNG
  }
}
