package dev.crowdlab.team;

import static dev.crowdlab.api.ConditionType.READY;
import static dev.crowdlab.team.Samples.spec;
import static dev.crowdlab.team.Samples.suspended;
import static dev.crowdlab.team.Samples.withSpec;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.AgentListener;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * Faults in random order and at random moments, each run from a seed that its name tells. Whatever
 * happens, no workspace has two writers and no epoch is given twice; and once the faults end, every
 * team is Ready and nothing runs that should not.
 */
class LabTeamSimulationTest {

  private static final int SEEDS = Integer.getInteger("crowdlab.simulation.seeds", 60);
  private static final int ACTIONS = 300;
  private static final List<String> TEAMS = List.of("t1", "t2", "t3");

  private TeamBed bed = new TeamBed();
  private final Map<String, SimulatedMachine> machines = new TreeMap<>();
  private final Deque<VmRef> toExamine = new ArrayDeque<>();
  private final List<String> story = new ArrayList<>();
  private Random random = new Random(0);
  private int image;

  /** The operator's process dies here. */
  private static final class Crash extends Error {
    private static final long serialVersionUID = 1L;
  }

  static LongStream seeds() {
    return LongStream.rangeClosed(1, SEEDS);
  }

  @BeforeAll
  static void quiet() {
    level(Level.ERROR);
  }

  @AfterAll
  static void asBefore() {
    level(null);
  }

  private static void level(Level level) {
    // While another class's thread sets SLF4J up, everybody else gets a substitute.
    await().until(() -> LoggerFactory.getLogger("dev.crowdlab.team") instanceof Logger);
    ((Logger) LoggerFactory.getLogger("dev.crowdlab.team")).setLevel(level);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void neverTwoWritersAndReadyInTheEnd(long seed) {
    begin(seed);
    try {
      for (int i = 0; i < ACTIONS; i++) {
        act();
        checkAlways();
      }
      calm();
      checkInTheEnd();
    } catch (AssertionError e) {
      throw new AssertionError(
          "seed "
              + seed
              + "\n"
              + String.join("\n", story.subList(Math.max(0, story.size() - 60), story.size())),
          e);
    }
  }

  private void begin(long seed) {
    bed = new TeamBed();
    bed.agents.obedient(false);
    random = new Random(seed);
    for (String name : List.of("alice-1", "alice-2", "bob-1")) {
      VmRef vm = bed.machine(name, name.substring(0, name.indexOf('-')), 3);
      SimulatedMachine machine =
          new SimulatedMachine(
              vm, bed.agents, bed.workspaces, bed.clock, new Random(random.nextLong()));
      machine.connect();
      bed.staleRuns.examine(vm);
      machines.put(name, machine);
    }
    bed.agents.listen(new Examining());
    TEAMS.forEach(bed::create);
  }

  /** As {@link TeamEvents} has it. */
  private final class Examining implements AgentListener {
    @Override
    public void sessionChanged(VmRef vm) {
      due(vm);
    }

    @Override
    public void healthChanged(VmRef vm, VmHealth health) {}

    @Override
    public void teamChanged(VmRef vm, String namespace, String name) {
      if (!bed.staleRuns.isClean(vm) || bed.staleRuns.isSuspect(vm, namespace, name)) {
        due(vm);
      }
    }

    @Override
    public void notice(VmRef vm, FromAgent.Notice.Kind kind) {}

    @Override
    public void diskChanged(VmRef vm) {}

    private void due(VmRef vm) {
      if (!toExamine.contains(vm)) {
        toExamine.add(vm);
      }
    }
  }

  private void act() {
    int dice = random.nextInt(100);
    SimulatedMachine machine = pick(List.copyOf(machines.values()));
    String team = pick(TEAMS);
    if (dice < 40) {
      tell("reconcile " + team);
      reconcile(team);
    } else if (dice < 65) {
      tell("step " + machine.vm.name());
      machine.step();
    } else if (dice < 70) {
      bed.clock.advance(Duration.ofMillis(random.nextInt(20_000)));
    } else if (dice < 74) {
      tell("examine");
      examineOne();
    } else if (dice < 78) {
      if (machine.isConnected()) {
        tell("cut off " + machine.vm.name());
        machine.cutOff();
      } else {
        comeBack(machine);
      }
    } else if (dice < 80) {
      tell("power cut " + machine.vm.name());
      machine.powerCut();
    } else if (dice < 82 && machine.isConnected()) {
      tell("agent dies on " + machine.vm.name());
      machine.agentDies();
    } else if (dice < 86) {
      crashSoon();
    } else if (dice < 88) {
      tell("hold cache");
      bed.teams.holdCache(random.nextBoolean());
    } else if (dice < 89) {
      tell("file server fails");
      bed.workspaces.failWith(
          new Outcome.Failure(
              Outcome.Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, "away"));
    } else if (dice < 90) {
      tell("old epochs of " + team + " are held");
      bed.workspaces.holdOldEpochs(bed.workspace(team));
    } else if (dice < 92) {
      tell("file server heals");
      bed.workspaces.heal();
    } else if (dice < 93) {
      rollBack(team);
    } else if (dice < 94) {
      tell("edit " + team);
      bed.teams.edit(team, t -> t.setSpec(spec(team, "image:" + ++image)));
    } else if (dice < 95) {
      boolean rest = random.nextBoolean();
      tell((rest ? "suspend " : "resume ") + team);
      bed.teams.edit(team, t -> t.setSpec(suspended(t.getSpec(), rest, null)));
    } else if (dice < 96) {
      tell("rebind " + team);
      Binding binding = bed.status(team).binding();
      String epoch = binding == null ? "0" : Long.toString(binding.epoch());
      bed.teams.edit(team, t -> t.getMetadata().setAnnotations(Map.of(Names.REBIND, epoch)));
    } else if (dice < 97) {
      boolean drain = random.nextBoolean();
      tell("drain " + machine.vm.name() + ": " + drain);
      bed.change(withSpec(Samples.vm(machine.vm.name(), contributor(machine), 3), true, drain));
    } else if (dice < 98) {
      tell("a container ends on " + machine.vm.name());
      machine.crashOne();
    } else if (dice < 99) {
      tell("somebody writes to " + team + " in between");
      bed.teams.beforeWrite(
          t -> {
            bed.teams.beforeWrite(none -> {});
            bed.teams.editStatus(t.getMetadata().getName(), status -> status);
          });
    } else {
      tell("operator restarts");
      restartOperator();
    }
  }

  private void reconcile(String team) {
    try {
      bed.reconcile(team);
    } catch (Crash crash) {
      bed.crash = StepListener.NONE;
      tell("operator died");
      restartOperator();
    } catch (KubernetesClientException e) {
      tell("API away");
    }
  }

  /** Each machine's session is news to it. */
  private void restartOperator() {
    bed.restartOperator();
    toExamine.clear();
    machines.values().stream()
        .filter(SimulatedMachine::isConnected)
        .forEach(machine -> toExamine.add(machine.vm));
  }

  private void crashSoon() {
    int after = random.nextInt(4);
    tell("crash at step " + after + " from now");
    int[] left = {after};
    bed.crash =
        (step, team) -> {
          if (left[0]-- == 0) {
            tell("crash at " + step);
            throw new Crash();
          }
        };
  }

  private void comeBack(SimulatedMachine machine) {
    tell("back: " + machine.vm.name() + " with " + machine.running().keySet());
    machine.connect();
  }

  /** A machine of which nothing new is heard is not examined again. */
  private void examineOne() {
    VmRef vm = toExamine.poll();
    if (vm != null && bed.staleRuns.examine(vm) == StaleRuns.Finding.CLEAN_SO_FAR) {
      toExamine.add(vm);
    }
  }

  /** As after etcd was restored: an older status, with a new resourceVersion. */
  private void rollBack(String team) {
    List<LabTeamStatus> written =
        bed.teams.writes().stream()
            .filter(status -> status.workspace() != null)
            .filter(status -> status.workspace().id().equals(bed.workspace(team).value()))
            .toList();
    if (!written.isEmpty()) {
      LabTeamStatus old = pick(written);
      tell("roll back " + team + " to epoch " + old.highestEpoch());
      bed.teams.editStatus(team, status -> old);
    }
  }

  /** The faults end; everybody gets to do what is left to do. */
  private void calm() {
    tell("calm");
    bed.crash = StepListener.NONE;
    bed.teams.beforeWrite(none -> {});
    bed.teams.holdCache(false);
    bed.workspaces.heal();
    for (SimulatedMachine machine : machines.values()) {
      bed.change(Samples.vm(machine.vm.name(), contributor(machine), 3));
      if (!machine.isConnected()) {
        comeBack(machine);
      }
    }
    TEAMS.forEach(
        t -> bed.teams.edit(t, team -> team.setSpec(suspended(team.getSpec(), false, null))));
    for (int i = 0; i < 120; i++) {
      for (int due = toExamine.size(); due > 0; due--) {
        examineOne();
      }
      TEAMS.forEach(this::reconcile);
      for (int j = 0; j < 4; j++) {
        machines.values().forEach(SimulatedMachine::step);
      }
      checkAlways();
      bed.clock.advance(Duration.ofSeconds(5));
    }
  }

  private void checkAlways() {
    for (String team : TEAMS) {
      String uid = TeamBed.ref(team).uid();
      assertThat(machines.values())
          .filteredOn(m -> m.writes(uid))
          .as("writers of " + team)
          .hasSizeLessThan(2);
    }
    Map<String, Long> highest = new HashMap<>();
    for (String change : bed.workspaces.changes()) {
      String id = change.substring(0, change.indexOf(':'));
      long epoch = Long.parseLong(change.replaceAll(".*epoch (\\d+) .*", "$1"));
      assertThat(epoch).as(change).isGreaterThan(highest.getOrDefault(id, 0L));
      highest.put(id, epoch);
    }
  }

  private void checkInTheEnd() {
    for (String team : TEAMS) {
      assertThat(bed.condition(team, READY))
          .as(team + " " + bed.status(team))
          .isEqualTo("True:Ready");
      LabTeamStatus status = bed.status(team);
      Binding binding = status.binding();
      assertThat(status.superseded()).as("superseded of " + team).isEmpty();
      AdvanceRequest standing = bed.workspaces.standing(bed.workspace(team)).orElseThrow();
      assertThat(standing.epoch()).isEqualTo(binding.epoch());
      assertThat(standing.vm()).isEqualTo(binding.vmUid());
      for (SimulatedMachine machine : machines.values()) {
        assertThat(machine.ahead().get(TeamBed.ref(team).uid()))
            .as("made ahead for " + team + " on " + machine.vm)
            .isNull();
        SimulatedMachine.Running running = machine.running().get(TeamBed.ref(team).uid());
        if (machine.vm.name().equals(binding.vm())) {
          assertThat(running).as(team + " on its machine").isNotNull();
          assertThat(running.run().epoch()).isEqualTo(binding.epoch());
          assertThat(machine.writes(TeamBed.ref(team).uid())).isTrue();
        } else {
          assertThat(running).as("orphan of " + team + " on " + machine.vm).isNull();
        }
      }
      assertThat(Timeline.isOpen(status)).as("open times of " + team).isFalse();
      assertThat(status.recoveries()).hasSizeLessThanOrEqualTo(Timeline.KEPT);
    }
  }

  private static String contributor(SimulatedMachine machine) {
    return machine.vm.name().substring(0, machine.vm.name().indexOf('-'));
  }

  private void tell(String what) {
    story.add(bed.clock.instant() + " " + what);
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }
}
