package dev.crowdlab.team;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVMSpec;
import dev.crowdlab.api.DocumentedEdits;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
import dev.crowdlab.core.ManualClock;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.FakeAgents;
import dev.crowdlab.integrity.Ours;
import dev.crowdlab.vm.FakeBaselines;
import dev.crowdlab.vm.FakeVmAccess;
import dev.crowdlab.vm.IntegrityJudge;
import dev.crowdlab.vm.VmBench;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;

/**
 * A contributed machine with its reconciler, and teams with theirs, in one world: the teams see of
 * the machine what its own reconciler wrote, and it sees which of them are bound to it.
 */
final class EditLab {

  static final String T = "t1";
  static final VmRef BOB = new VmRef("lab", "bob-1", "uid-bob-1");

  final ManualClock clock = new ManualClock(Samples.T0);
  final FakeAgents agents = new FakeAgents(clock).obedient(true);
  final TeamBed bed = new TeamBed(clock, agents);
  final VmBench alice =
      new VmBench(
          clock,
          agents,
          Optional.of(new IntegrityJudge(new FakeBaselines(), new Ours(20_000, 29_999), false)));

  /** What of a machine and of a team on it an edit could touch. */
  record World(
      List<String> calls,
      int changes,
      int agentStarts,
      Optional<FakeVmAccess.Machine> configured,
      Optional<InetSocketAddress> watched,
      List<String> conditions,
      TeamWorld team) {

    World withCalls(List<String> more) {
      return new World(more, changes, agentStarts, configured, watched, conditions, team);
    }

    World withConditions(List<String> others) {
      return new World(calls, changes, agentStarts, configured, watched, others, team);
    }
  }

  /** A Ready machine, whose host key was approved, with a Ready team; bob-1 would do as well. */
  static EditLab ready() {
    EditLab lab = new EditLab();
    lab.edit("spec.ssh.hostKey", null);
    lab.alice.pass();
    lab.alice.annotate(Names.APPROVE_HOST_KEY, FakeVmAccess.ED25519.fingerprint());
    lab.alice.ready();
    lab.bed.change(lab.alice.vm);
    lab.create(T);
    lab.settle();
    lab.bed.machine("bob-1", "Bob", 4);
    lab.settle();
    assertThat(lab.condition(ConditionType.READY)).isEqualTo("True:Ready");
    assertThat(lab.vmOf(T)).isEqualTo("alice-1");
    return lab;
  }

  /** Both reconcilers run as often as events would make them. */
  void settle() {
    for (int i = 0; i < 6; i++) {
      pass();
    }
  }

  /** Each of them runs once. */
  void pass() {
    alice.teams = bed.teams.cached("lab");
    alice.pass();
    bed.change(alice.vm);
    bed.staleRuns.examine(alice.ref());
    for (LabTeam team : bed.teams.cached("lab")) {
      bed.reconcile(team.getMetadata().getName());
    }
  }

  void edit(String place, String value) {
    alice.spec(spec -> edited(spec, place, value));
  }

  private static ContributedVMSpec edited(ContributedVMSpec spec, String place, String value) {
    return DocumentedEdits.edited(spec, place, value);
  }

  void create(String team) {
    bed.create(team);
    bed.settle(team);
  }

  /** The name of the machine that carries the team; empty when none does. */
  String vmOf(String team) {
    return bed.status(team).binding() == null ? "" : bed.status(team).binding().vm();
  }

  /** A condition of the machine. */
  String condition(String type) {
    return TeamWorld.conditions(alice.status().conditions()).stream()
        .filter(condition -> condition.startsWith(type + "="))
        .map(condition -> condition.substring(type.length() + 1))
        .findFirst()
        .orElse("-");
  }

  World world() {
    FakeVmAccess.Machine machine = alice.machine();
    return new World(
        machine.calls(),
        machine.changes(),
        machine.agentStarts(),
        Optional.of(machine).filter(m -> m.configuration() != null),
        agents.watched(alice.ref()),
        TeamWorld.conditions(alice.status().conditions()),
        TeamWorld.of(bed, T, List.of(alice.ref(), BOB)));
  }

  void assertObserved() {
    assertThat(alice.status().observedGeneration())
        .isEqualTo(alice.vm.getMetadata().getGeneration());
  }
}
