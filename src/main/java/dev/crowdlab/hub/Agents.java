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
import java.util.Set;

/**
 * The agents as the reconcilers see them. Nothing here blocks: state is what the last frames said,
 * and changes come through {@link AgentListener}.
 */
public interface Agents {

  /** Tells this listener too of every change from now on. */
  void listen(AgentListener listener);

  /** The session of a VM's agent, when one is welcome and not in conflict. */
  Optional<Session> session(VmRef vm);

  /** What the failure detector holds of a watched VM; {@link VmHealth.Unwatched} for others. */
  VmHealth health(VmRef vm);

  /**
   * What the machine's owner wants, as its present session said it; empty when it has not said
   * anything yet. Without a session: {@code STOPPING}, when the last one ended with that word.
   */
  Optional<FromAgent.Notice.Kind> voice(VmRef vm);

  /**
   * Whether the machine's disk takes what is written, as its present session said it; empty when it
   * has not said anything yet.
   */
  Optional<FromAgent.DiskState> disk(VmRef vm);

  /**
   * Watches a VM from now on (or with another address, or cadence): a silent agent is suspected,
   * then the address is probed.
   *
   * @param ssh the checked address and port of its sshd, for the probe
   * @param carriesTeams fast heartbeats when true
   * @param login asked when sshd takes the connection and says nothing
   */
  void watch(VmRef vm, InetSocketAddress ssh, boolean carriesTeams, LoginCheck login);

  /** Forgets a VM, closes its session and invalidates its token. */
  void forget(VmRef vm);

  /**
   * Has the VM do ahead what needs no fence. A run's is sent once per session, and again when it is
   * asked for after it failed, or after the VM said that it could not yet: done when the VM said
   * that it is made, or when its agent is too old to say so, in progress before; failed with its
   * code (see {@link RunReasons}), or ({@code Reason.AGENT_NOT_CONNECTED} or {@code
   * IDENTITY_CONFLICT}, transient) while there is nobody to tell. {@link #run} goes on from there,
   * {@link #stop} of its epoch takes it away. Images alone are a best effort, and done when asked
   * for.
   */
  Outcome<Void> prepare(VmRef vm, ToAgent.Prepare prepare);

  /**
   * Has the VM run the team. Sent once per session and again to each later session, until the team
   * is stopped there, runs somewhere at a higher epoch, or the VM is lost: a VM that comes back
   * from there gets only what is ordered anew. Done when the agent reports the run healthy at that
   * epoch; in progress before; failed with the report's code (see {@link RunReasons}); failed
   * ({@code Reason.AGENT_NOT_CONNECTED} or {@code IDENTITY_CONFLICT}, transient) while there is
   * nobody to tell.
   */
  Outcome<FromAgent.TeamReport> run(VmRef vm, ToAgent.Run run);

  /**
   * Has the VM stop everything of the team at or below the epoch, and runs no such epoch there any
   * more. Done when the agent said that nothing is left, in progress before; failed ({@code
   * Reason.AGENT_NOT_CONNECTED} or {@code IDENTITY_CONFLICT}, transient) while there is nobody to
   * tell.
   */
  Outcome<Void> stop(VmRef vm, TeamRef team, long epoch);

  /**
   * Has the agent take away everything of ours, itself included, when nobody can log in to the
   * machine any more. Sent once per session. In progress until the agent has said that nothing is
   * left, and its session has ended after that; failed, always transient, with {@code
   * CONFIGURATION_FAILED} when something could not be taken away (the next call tries again), with
   * {@code AGENT_NOT_CONNECTED} when there is nobody to tell.
   */
  Outcome<Uninstalled> uninstall(VmRef vm);

  /**
   * A machine that its own agent cleaned.
   *
   * @param kept packages that came for us and that something else needs now
   */
  record Uninstalled(List<String> kept) {
    public Uninstalled {
      kept = List.copyOf(kept);
    }
  }

  /** The UIDs of the teams that something was ordered of, and is remembered. */
  Set<String> orderedTeams();

  /** These teams are no more: their orders need not be remembered. Machines are told nothing. */
  void forgetTeams(Set<String> uids);

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
