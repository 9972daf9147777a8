package dev.crowdlab.hub;

import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.ToAgent;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The agents as the reconcilers see them. Nothing here blocks: state is what the last frames said,
 * and changes come through {@link AgentListener}.
 */
public interface Agents {

  /** The session of a VM's agent, when one is welcome and not in conflict. */
  Optional<Session> session(VmRef vm);

  /** What the failure detector holds of a watched VM; {@link VmHealth.Unwatched} for others. */
  VmHealth health(VmRef vm);

  /**
   * Watches a VM from now on (or with another address, or cadence): a silent agent is suspected,
   * then the address is probed.
   *
   * @param ssh the checked address and port of its sshd, for the probe
   * @param carriesTeams fast heartbeats when true
   */
  void watch(VmRef vm, InetSocketAddress ssh, boolean carriesTeams);

  /** Forgets a VM, closes its session and invalidates its token. */
  void forget(VmRef vm);

  /** Pulls images ahead; best effort. */
  void prepare(VmRef vm, ToAgent.Prepare prepare);

  /**
   * Has the VM run the team. Sent once per session, repeated when the agent reconnects without the
   * run. Done when the agent reports it healthy at that epoch; in progress before; failed with the
   * report's code.
   */
  Outcome<FromAgent.TeamReport> run(VmRef vm, ToAgent.Run run);

  /**
   * Has the VM stop everything of the team at or below the epoch. Done when the agent said that
   * nothing is left, in progress before; failed ({@code Reason.AGENT_DISCONNECTED}, transient) when
   * no agent is connected.
   */
  Outcome<Void> stop(VmRef vm, TeamRef team, long epoch);

  /** The last report of the team from this VM in the present session. */
  Optional<FromAgent.TeamReport> report(VmRef vm, TeamRef team);

  /** All that the VM reports to run or to have mounted. */
  List<FromAgent.TeamReport> reports(VmRef vm);

  /**
   * A session.
   *
   * @param lastSeen when its last frame arrived
   */
  record Session(
      VmRef vm,
      String agentVersion,
      String bootId,
      String machineId,
      String workspaceKey,
      Instant connectedSince,
      Instant lastSeen) {}
}
