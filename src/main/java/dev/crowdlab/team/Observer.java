package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.team.Observed.BoundVm;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Predicate;

/** Looks at everything that a decision needs; changes nothing and never blocks. */
final class Observer {

  private final Vms vms;
  private final Agents agents;
  private final Predicate<String> full;
  private final InstantSource clock;

  /**
   * Observes with these.
   *
   * @param full whether the workspace of the team of this UID has reached its quota
   */
  Observer(Vms vms, Agents agents, Predicate<String> full, InstantSource clock) {
    this.vms = vms;
    this.agents = agents;
    this.full = full;
    this.clock = clock;
  }

  Observed observe(LabTeam team, Memory memory) {
    BoundVm machine = machine(team);
    return new Observed(
        clock.instant(),
        team,
        ExerciseDigest.of(team.getSpec()),
        machine,
        report(team, machine),
        memory);
  }

  private BoundVm machine(LabTeam team) {
    Binding binding = team.getStatus().binding();
    if (binding == null) {
      return new BoundVm.Unbound();
    }
    return vms.get(team.getMetadata().getNamespace(), binding.vm())
        .filter(vm -> vm.ref().uid().equals(binding.vmUid()))
        .<BoundVm>map(
            vm ->
                new BoundVm.Known(
                    vm, agents.health(vm.ref()), agents.session(vm.ref()).isPresent()))
        .orElseGet(BoundVm.Missing::new);
  }

  private Optional<TeamReport> report(LabTeam team, BoundVm machine) {
    Binding binding = team.getStatus().binding();
    if (binding == null || !(machine instanceof BoundVm.Known(VmView vm, _, _))) {
      return Optional.empty();
    }
    TeamRef ref =
        new TeamRef(
            team.getMetadata().getNamespace(),
            team.getMetadata().getName(),
            team.getMetadata().getUid());
    return agents
        .report(vm.ref(), ref)
        .filter(report -> report.epoch() == binding.epoch())
        .map(this::withQuota);
  }

  /** The machine cannot see that the workspace has reached its quota, so we say it in its place. */
  private TeamReport withQuota(TeamReport report) {
    return report.state() == TeamReport.State.HEALTHY
            && report.code() == null
            && full.test(report.teamUid())
        ? new TeamReport(
            report.teamUid(),
            report.namespace(),
            report.name(),
            report.epoch(),
            report.state(),
            RunFailure.WORKSPACE_FULL.name(),
            "the workspace is full",
            report.containers())
        : report;
  }
}
