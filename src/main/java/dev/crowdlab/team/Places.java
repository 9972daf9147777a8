package dev.crowdlab.team;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.WorkspaceStatus;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.team.NextStep.Wish;
import dev.crowdlab.team.Reservations.Machine;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds places on the machines of a team's namespace. */
final class Places {

  private final Teams teams;
  private final Vms vms;
  private final Agents agents;
  private final StaleRuns staleRuns;
  private final Reservations reservations;
  private final TeamSettings settings;

  Places(
      Teams teams,
      Vms vms,
      Agents agents,
      StaleRuns staleRuns,
      Reservations reservations,
      TeamSettings settings) {
    this.teams = teams;
    this.vms = vms;
    this.agents = agents;
    this.staleRuns = staleRuns;
    this.reservations = reservations;
    this.settings = settings;
  }

  /**
   * Reserves a place for the team; what was given away is read anew after winning leadership.
   *
   * @param shunned machines that are not to be taken, by UID
   */
  Reservations.Place reserve(Pass pass, Wish wish, Set<String> shunned) {
    if (!reservations.isRebuilt()) {
      reservations.rebuild(teams.listLive());
    }
    reservations.hold(pass.team());
    LabTeamSpec spec = pass.team().getSpec();
    TeamRef ref = pass.ref();
    Placement.Request request =
        new Placement.Request(
            Demand.of(spec.exercise()),
            spec.placement().vmSelector(),
            spec.placement().spread(),
            wish.prefer(),
            wish.avoid(),
            wish.exclude(),
            shunned);
    List<Machine> machines =
        vms.in(ref.namespace()).stream().map(vm -> new Machine(vm, isReachable(vm))).toList();
    Reservations.Place place = reservations.place(ref, request, machines);
    if (place instanceof Reservations.None) {
      reservations.keepOnly(
          ref.namespace(),
          teams.cached(ref.namespace()).stream().map(t -> t.getMetadata().getUid()).toList());
      place = reservations.place(ref, request, machines);
    }
    return place;
  }

  /** The team is bound as its status says; what was reserved besides is given back. */
  void bound(LabTeam team) {
    reservations.bound(team);
  }

  /** The team goes nowhere: what an earlier pass reserved is given back. */
  void stays(TeamRef ref) {
    reservations.giveUp(ref);
  }

  /** The team is no more. */
  void released(TeamRef ref) {
    reservations.release(ref);
  }

  @Nullable WorkspaceStatus workspace(LabTeam team) {
    return new WorkspaceStatus(settings.workspace(team).value(), settings.fileServer());
  }

  /** Its agent is connected, nothing speaks against it, and it runs nothing that it should not. */
  private boolean isReachable(VmView vm) {
    boolean well =
        switch (agents.health(vm.ref())) {
          case VmHealth.Unwatched _, VmHealth.Awaited _, VmHealth.Alive _ -> true;
          case VmHealth.Suspect _, VmHealth.AgentDown _, VmHealth.Lost _, VmHealth.Conflict _ ->
              false;
        };
    return well && agents.session(vm.ref()).isPresent() && staleRuns.isClean(vm.ref());
  }
}
