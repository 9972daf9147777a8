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

  /** The agent's heartbeats come. */
  record Alive(Instant lastSeen) implements VmHealth {}

  /** Heartbeats are late or the socket closed; probes are under way. */
  record Suspect(Instant lastSeen, Instant since) implements VmHealth {}

  /** The socket is gone and sshd answers: restart the agent, leave the teams. */
  record AgentDown(Instant lastSeen, Instant since) implements VmHealth {}

  /**
   * Both signals are gone: the VM is lost. {@code lastSeen} is the last sign of life (of a VM that
   * was not heard since the hub opened: when it was first watched), {@code detected} when the
   * verdict fell.
   */
  record Lost(Instant lastSeen, Instant detected) implements VmHealth {}

  /** Two sessions claim the identity, and both answer: a person must look. */
  record Conflict(Instant since) implements VmHealth {}
}
