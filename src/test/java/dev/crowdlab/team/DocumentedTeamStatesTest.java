package dev.crowdlab.team;

import static dev.crowdlab.team.Samples.spec;
import static dev.crowdlab.team.Samples.suspended;
import static dev.crowdlab.team.Samples.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.DocumentedStates;
import dev.crowdlab.api.DocumentedStates.State;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.PlacementSpec;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryPolicy;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.Outcome.Failure.Kind;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.RunFailure;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Brings a team into each state of docs/states.md and holds the status against the row. */
class DocumentedTeamStatesTest {

  private static final VmRef ALICE = new VmRef("lab", "alice-1", "uid-alice-1");

  /** How each state comes about; the bed begins with one machine and a team nobody has seen. */
  private static final Map<String, Consumer<TeamBed>> STATES =
      Map.ofEntries(
          Map.entry("placing", bed -> {}),
          Map.entry(
              "fencing",
              bed -> {
                bed.agents.obedient(false);
                bed.settle("t1");
                LabTeamStatus bound = bed.teams.writes().getFirst();
                bed.teams.editStatus("t1", status -> bound);
              }),
          Map.entry(
              "starting",
              bed -> {
                bed.agents.obedient(false);
                bed.settle("t1");
                bed.agents.report(ALICE, TeamBed.ref("t1"), TeamReport.State.ATTACHED);
                bed.settle("t1");
              }),
          Map.entry("ready", bed -> bed.settle("t1")),
          Map.entry(
              "edited",
              bed -> {
                bed.settle("t1");
                edit(bed, spec -> spec("t1", "another:1"));
              }),
          Map.entry(
              "restarting",
              bed -> {
                bed.settle("t1");
                bed.agents.obedient(false);
                edit(bed, spec -> spec("t1", "another:1"));
                bed.settle("t1");
                bed.agents.gone(ALICE, TeamBed.ref("t1"), 1);
                bed.settle("t1");
              }),
          Map.entry(
              "no-capacity",
              bed -> {
                bed.change(Samples.vm("alice-1", "Alice", 0));
                bed.settle("t1");
              }),
          Map.entry(
              "no-matching-vm",
              bed -> {
                edit(
                    bed,
                    spec ->
                        with(
                            spec,
                            new PlacementSpec(
                                new LabelSelectorBuilder().addToMatchLabels("site", "mars").build(),
                                null)));
                bed.settle("t1");
              }),
          Map.entry(
              "recovering",
              bed -> {
                bed.settle("t1");
                bed.machine("bob-1", "Bob", 1);
                bed.agents.obedient(false);
                bed.agents.lose(ALICE);
                bed.settle("t1");
              }),
          Map.entry(
              "recovering-no-capacity",
              bed -> {
                bed.settle("t1");
                bed.agents.lose(ALICE);
                bed.settle("t1");
              }),
          Map.entry(
              "recovery-manual",
              bed -> {
                edit(bed, spec -> with(spec, RecoveryPolicy.MANUAL));
                bed.settle("t1");
                bed.machine("bob-1", "Bob", 1);
                bed.agents.lose(ALICE);
                bed.settle("t1");
              }),
          Map.entry(
              "suspending",
              bed -> {
                bed.settle("t1");
                bed.agents.obedient(false);
                edit(bed, spec -> suspended(spec, true, null));
                bed.settle("t1");
              }),
          Map.entry(
              "suspended",
              bed -> {
                bed.settle("t1");
                edit(bed, spec -> suspended(spec, true, null));
                bed.settle("t1");
              }),
          Map.entry(
              "expired",
              bed -> {
                edit(bed, spec -> suspended(spec, false, "2h"));
                bed.settle("t1");
                bed.clock.advance(Duration.ofHours(2));
                bed.settle("t1");
              }),
          Map.entry(
              "file-server-not-configured",
              bed -> fileServer(bed, Kind.TERMINAL, Reason.FILE_SERVER_NOT_CONFIGURED)),
          Map.entry(
              "file-server-unavailable",
              bed -> fileServer(bed, Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE)),
          Map.entry(
              "fence-unproven",
              bed -> {
                bed.settle("t1");
                bed.machine("bob-1", "Bob", 1);
                bed.workspaces.holdOldEpochs(bed.workspace("t1"));
                bed.agents.lose(ALICE);
                bed.settle("t1");
              }),
          Map.entry("mount-failed", bed -> fails(bed, RunFailure.MOUNT_FAILED)),
          Map.entry(
              "workspace-full",
              bed -> {
                bed.settle("t1");
                TeamReport healthy = bed.agents.report(ALICE, TeamBed.ref("t1")).orElseThrow();
                bed.agents.report(
                    ALICE,
                    new TeamReport(
                        healthy.teamUid(),
                        healthy.namespace(),
                        healthy.name(),
                        healthy.epoch(),
                        TeamReport.State.HEALTHY,
                        RunFailure.WORKSPACE_FULL.name(),
                        "the workspace is full",
                        healthy.containers()));
                bed.settle("t1");
              }),
          Map.entry(
              "quota-unavailable",
              bed -> {
                bed.workspaces.quota(false);
                bed.settle("t1");
              }),
          Map.entry("image-pull-failed", bed -> fails(bed, RunFailure.IMAGE_MISSING)),
          Map.entry("container-exited", bed -> fails(bed, RunFailure.CONTAINER_EXITED)),
          Map.entry("container-failed", bed -> fails(bed, RunFailure.CONTAINER_REFUSED)),
          Map.entry(
              "secret-missing",
              bed -> {
                bed.pullSecret = Outcome.later(Reason.SECRET_NOT_FOUND, "no Secret");
                bed.settle("t1");
              }),
          Map.entry(
              "secret-invalid",
              bed -> {
                bed.pullSecret = Outcome.refused(Reason.SECRET_INVALID, "not a pull secret");
                bed.settle("t1");
              }),
          Map.entry(
              "sources-not-configured",
              bed -> {
                bed.sources(List.of());
                bed.settle("t1");
              }),
          Map.entry("host-taken", bed -> route(bed, Kind.TERMINAL, Reason.HOST_TAKEN)),
          Map.entry(
              "annotation-not-allowed",
              bed -> route(bed, Kind.TERMINAL, Reason.ANNOTATION_NOT_ALLOWED)),
          Map.entry("route-failed", bed -> route(bed, Kind.TRANSIENT, Reason.ROUTE_FAILED)),
          Map.entry(
              "paused",
              bed -> {
                bed.settle("t1");
                pause(bed);
                bed.settle("t1");
              }),
          Map.entry(
              "paused-unready",
              bed -> {
                pause(bed);
                bed.settle("t1");
              }),
          Map.entry(
              "paused-edited",
              bed -> {
                bed.settle("t1");
                pause(bed);
                edit(bed, spec -> spec("t1", "another:1"));
                bed.settle("t1");
              }),
          Map.entry(
              "internal-error",
              bed -> {
                bed.crash =
                    (step, team) -> {
                      if (step.equals("team.fenced")) {
                        throw new IllegalStateException("a mistake of ours");
                      }
                    };
                try {
                  bed.reconcile("t1");
                } catch (IllegalStateException e) {
                  assertThat(e).hasMessage("a mistake of ours");
                }
              }),
          Map.entry(
              "deleting",
              bed -> {
                bed.settle("t1");
                bed.agents.obedient(false);
                bed.teams.edit(
                    "t1",
                    team ->
                        team.getMetadata().setDeletionTimestamp(bed.clock.instant().toString()));
                bed.settle("t1");
              }));

  private final TeamBed bed = new TeamBed();

  static Stream<String> states() {
    return DocumentedStates.of("LabTeam").stream()
        .map(State::name)
        .filter(name -> !name.equals("unseen"));
  }

  @ParameterizedTest
  @MethodSource("states")
  void isAsTheRowSays(String name) {
    bed.machine("alice-1", "Alice", 1);
    bed.create("t1");
    State row = DocumentedStates.team(name);

    Objects.requireNonNull(STATES.get(name), () -> "no recipe for " + name).accept(bed);

    LabTeamStatus status = name.equals("placing") ? placing() : bed.status("t1");
    row.check(status.phase(), status.conditions());
    long generation = bed.teams.get("t1").getMetadata().getGeneration();
    switch (row.stage()) {
      case NEW, EDITED ->
          assertThat(status.observedGeneration()).isNotNull().isLessThan(generation);
      case CURRENT, DELETED -> {
        if (!name.equals("paused-unready")) {
          assertThat(status.observedGeneration()).isEqualTo(generation);
        }
      }
    }
  }

  @Test
  void everyRecipeHasARow() {
    assertThat(states()).containsExactlyInAnyOrderElementsOf(STATES.keySet());
  }

  /** Choosing takes no time that anybody could see: this is what would be written meanwhile. */
  private LabTeamStatus placing() {
    Observer observer = new Observer(bed.vms, bed.agents, bed.quotas::isFull, bed.clock);
    Observed o = observer.observe(bed.teams.get("t1"), Memory.EMPTY);
    NextStep step = new Decision(TeamSettings.Bounds.DEFAULT).decide(o);
    return new StatusFactory(bed.clock).complete(o, step, null);
  }

  private static void edit(TeamBed bed, UnaryOperator<LabTeamSpec> change) {
    bed.teams.edit("t1", team -> team.setSpec(change.apply(team.getSpec())));
  }

  private static void pause(TeamBed bed) {
    bed.teams.edit(
        "t1", team -> team.getMetadata().setAnnotations(Map.of(Names.PAUSED, Names.TRUE)));
  }

  private static void fileServer(TeamBed bed, Kind kind, Reason reason) {
    bed.workspaces.failWith(new Failure(kind, reason, "the file server says no"));
    bed.settle("t1");
  }

  private static void route(TeamBed bed, Kind kind, Reason reason) {
    bed.routes.failWith(new Failure(kind, reason, "no route"));
    bed.settle("t1");
  }

  private static void fails(TeamBed bed, RunFailure code) {
    bed.agents.obedient(false);
    bed.settle("t1");
    bed.agents.fail(ALICE, TeamBed.ref("t1"), code, "because");
    bed.settle("t1");
  }
}
