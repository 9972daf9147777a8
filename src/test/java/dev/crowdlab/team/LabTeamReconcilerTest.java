package dev.crowdlab.team;

import static dev.crowdlab.api.ConditionType.EXERCISE_RUNNING;
import static dev.crowdlab.api.ConditionType.PLACED;
import static dev.crowdlab.api.ConditionType.READY;
import static dev.crowdlab.api.ConditionType.ROUTED;
import static dev.crowdlab.api.ConditionType.WORKSPACE_ATTACHED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.api.StepTime;
import dev.crowdlab.api.TeamPhase;
import dev.crowdlab.api.TeamStep;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.route.Routes.Target;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class LabTeamReconcilerTest {

  private final TeamBed bed = new TeamBed();

  @Test
  void aTeamBecomesReadyInOnePassWithATimeForEachStep() {
    bed.machine("alice-1", "Alice", 4);
    bed.create("t1");

    TeamLoop.Turn turn = bed.settle("t1");

    assertThat(turn).isInstanceOf(TeamLoop.Turn.Rest.class);
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.condition("t1", PLACED)).isEqualTo("True:Placed");
    assertThat(bed.condition("t1", WORKSPACE_ATTACHED)).isEqualTo("True:Attached");
    assertThat(bed.condition("t1", EXERCISE_RUNNING)).isEqualTo("True:Running");
    assertThat(bed.condition("t1", ROUTED)).isEqualTo("True:Routed");
    assertThat(bed.status("t1").phase()).isEqualTo(TeamPhase.READY);
    assertThat(bed.status("t1").url()).isEqualTo("http://t1.lab.example.org/");
    assertThat(bed.status("t1").creation().duration()).isEqualTo("0.000s");
    assertThat(bed.status("t1").creation().steps())
        .extracting(StepTime::name)
        .containsExactly(TeamStep.values());
    assertThat(bed.steps)
        .containsSubsequence(
            "team.chosen",
            "team.bound",
            "team.fenced",
            "team.started",
            "team.routed",
            "team.ready");
    Binding binding = bed.status("t1").binding();
    assertThat(binding.epoch()).isEqualTo(1);
    bed.assertRouted("t1", new Target.Exercise(binding.address(), binding.port()));
  }

  @Test
  void aTeamWhoseHostIsAnothersHasNoUrl() {
    bed.machine("alice-1", "Alice", 4);
    bed.create("t1");
    bed.settle("t1");
    assertThat(bed.status("t1").url()).isNotNull();

    bed.routes.failWith(
        new Outcome.Failure(Outcome.Failure.Kind.TERMINAL, Reason.HOST_TAKEN, "it is taken"));
    bed.teams.edit("t1", team -> team.setSpec(withHost(team.getSpec(), "taken.example.org")));
    bed.settle("t1");

    assertThat(bed.condition("t1", ROUTED)).isEqualTo("False:HostTaken");
    assertThat(bed.status("t1").url()).isNull();

    bed.routes.heal();
    bed.clock.advance(Duration.ofSeconds(12));
    bed.settle("t1");

    assertThat(bed.condition("t1", ROUTED)).isEqualTo("True:Routed");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.status("t1").url()).isEqualTo("http://taken.example.org/");
  }

  @Test
  void aTeamWhoseHostBecomesFreeHasItAtOnceHoweverLongItWaited() {
    bed.machine("alice-1", "Alice", 4);
    bed.routes.failWith(
        new Outcome.Failure(Outcome.Failure.Kind.TERMINAL, Reason.HOST_TAKEN, "it is taken"));
    TeamRef team = bed.create("t1");
    for (int i = 0; i < 10; i++) {
      bed.settle("t1");
      bed.clock.advance(Duration.ofSeconds(12));
    }
    bed.settle("t1");
    assertThat(bed.condition("t1", READY)).isEqualTo("False:HostTaken");
    assertThat(bed.condition("t1", "Stalled")).isEqualTo("True:HostTaken");

    bed.routes.heal();
    bed.loop.corrected(team);
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.status("t1").url()).isEqualTo("http://t1.lab.example.org/");
  }

  @Test
  void aLostMachinesTeamIsReadyOnAnotherOne() {
    VmRef alice = bed.machine("alice-1", "Alice", 4);
    bed.machine("bob-1", "Bob", 4);
    TeamRef team = bed.create("t1");
    bed.settle("t1");
    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    bed.clock.advance(Duration.ofMinutes(1));

    bed.agents.lose(alice);
    bed.clock.advance(Duration.ofSeconds(2));
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(2);
    assertThat(bed.status("t1").recoveryCount()).isEqualTo(1);
    assertThat(bed.status("t1").recoveries())
        .singleElement()
        .satisfies(
            recovery -> {
              assertThat(recovery.cause()).isEqualTo(RecoveryCause.VM_LOST);
              assertThat(recovery.from()).isEqualTo("alice-1");
              assertThat(recovery.to()).isEqualTo("bob-1");
              assertThat(recovery.epoch()).isEqualTo(2);
              assertThat(recovery.steps())
                  .extracting(StepTime::name)
                  .containsExactly(TeamStep.values());
              assertThat(recovery.duration()).isEqualTo("62.000s");
            });
    assertThat(bed.workspaces.standing(bed.workspace("t1")).orElseThrow().epoch()).isEqualTo(2);
    assertThat(bed.agents.wanted(alice)).isEmpty();
    assertThat(bed.routes.changes())
        .last()
        .asString()
        .contains("Exercise")
        .contains(bed.status("t1").binding().address());
    assertThat(bed.routes.changes()).anyMatch(change -> change.contains("RECOVERING"));
    assertThat(team.name()).isEqualTo("t1");
  }

  @Test
  void theBindingStandsBeforeTheFileServerHearsOfIt() {
    bed.machine("alice-1", "Alice", 4);
    bed.create("t1");
    bed.crash =
        (step, team) -> {
          if (step.equals("team.bound")) {
            assertThat(bed.status("t1").binding().epoch()).isEqualTo(1);
            assertThat(bed.workspaces.changes()).isEmpty();
          }
        };

    bed.settle("t1");

    assertThat(bed.steps).contains("team.bound");
    assertThat(bed.workspaces.changes()).hasSize(1);
  }

  @Test
  void theRunIsOrderedWithItsMountAndPort() {
    VmRef alice = bed.machine("alice-1", "Alice", 4);
    bed.create("t1");

    bed.settle("t1");

    List<ToAgent> sent = bed.agents.sent(alice);
    assertThat(sent)
        .filteredOn(ToAgent.Run.class::isInstance)
        .singleElement()
        .isInstanceOfSatisfying(
            ToAgent.Run.class,
            run -> {
              assertThat(run.epoch()).isEqualTo(1);
              assertThat(run.mount()).isNotNull();
              assertThat(run.ports())
                  .containsExactly(
                      new ToAgent.PublishedPort(
                          "web", "http", 8080, bed.status("t1").binding().port()));
              assertThat(run.sources()).containsExactly("10.77.0.0/16");
              assertThat(run.containers().getFirst().cpuMillis()).isEqualTo(500);
              assertThat(run.limits().teams()).isEqualTo(4);
            });
  }

  private static LabTeamSpec withHost(LabTeamSpec spec, String host) {
    AccessSpec access = spec.access();
    return new LabTeamSpec(
        spec.exercise(),
        spec.members(),
        spec.workspace(),
        new AccessSpec(host, access.path(), access.port(), null, null, null),
        spec.placement(),
        spec.recovery(),
        spec.suspended(),
        spec.expiresAfter());
  }
}
