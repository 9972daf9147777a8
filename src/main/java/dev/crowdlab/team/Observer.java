package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.team.Observed.BoundVm;
import java.time.InstantSource;
import java.util.Optional;

/** Looks at everything that a decision needs; changes nothing and never blocks. */
final class Observer {

  private final Vms vms;
  private final Agents agents;
  private final InstantSource clock;

  Observer(Vms vms, Agents agents, InstantSource clock) {
    this.vms = vms;
    this.agents = agents;
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
    return agents.report(vm.ref(), ref).filter(report -> report.epoch() == binding.epoch());
  }
}
