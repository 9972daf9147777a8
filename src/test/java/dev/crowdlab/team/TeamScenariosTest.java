package dev.crowdlab.team;

import static dev.crowdlab.api.ConditionType.EXERCISE_RUNNING;
import static dev.crowdlab.api.ConditionType.PLACED;
import static dev.crowdlab.api.ConditionType.READY;
import static dev.crowdlab.api.ConditionType.WORKSPACE_ATTACHED;
import static dev.crowdlab.team.Samples.spec;
import static dev.crowdlab.team.Samples.suspended;
import static dev.crowdlab.team.Samples.vm;
import static dev.crowdlab.team.Samples.with;
import static dev.crowdlab.team.Samples.withSpec;
import static dev.crowdlab.team.TeamBed.ref;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Quarantine;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.api.RecoveryPolicy;
import dev.crowdlab.api.TeamPhase;
import dev.crowdlab.api.Voice;
import dev.crowdlab.api.WorkspaceSpec;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.Times;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.FromAgent.ContainerReport;
import dev.crowdlab.protocol.FromAgent.Prepared;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import dev.crowdlab.route.Routes.Target;
import dev.crowdlab.route.Routes.Why;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TeamScenariosTest {

  private static final Duration AGENT_GONE = TeamSettings.Bounds.DEFAULT.agentGone();

  private final TeamBed bed = new TeamBed();
  private VmRef alice = new VmRef("lab", "alice-1", "uid-alice-1");

  @BeforeEach
  void aTeamOnAlicesMachine() {
    alice = bed.machine("alice-1", "Alice", 4);
    bed.create("t1");
    bed.settle("t1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  // ---- faults

  @Test
  void anAgentsDeathMovesNobody() {
    bed.machine("bob-1", "Bob", 4);

    bed.agents.agentDies(alice);
    bed.clock.advance(AGENT_GONE.minusSeconds(1));
    TeamLoop.Turn turn = bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    bed.assertRouted("t1", bed.exercise("t1"));
    assertThat(turn).as("looks again").isEqualTo(new TeamLoop.Turn.After(Duration.ofSeconds(1)));
  }

  @Test
  void anAgentThatNothingBringsBackLosesItsTeamsToAWatchedMachineByTheFence() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    bed.agents.agentDies(alice);
    bed.settle("t1");

    bed.clock.advance(AGENT_GONE);
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.workspaces.standing(bed.workspace("t1")))
        .hasValueSatisfying(fence -> assertThat(fence.epoch()).isEqualTo(2));
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    bed.assertRouted("t1", bed.exercise("t1"));
    assertThat(bed.status("t1").recoveries().getFirst().cause())
        .isEqualTo(RecoveryCause.AGENT_LOST);
    assertThat(bed.status("t1").superseded()).as("to be stopped should it come back").hasSize(1);

    // The old run may go on; when its agent is back it is told to stop.
    bed.agents.connect(alice, List.of(running("t1", 1)));
    bed.settle("t1");

    assertThat(bed.agents.sent(alice)).last().isInstanceOf(ToAgent.Stop.class);
    assertThat(bed.status("t1").superseded()).isEmpty();
    assertThat(bed.status("t1").binding().vm()).isEqualTo(bob.name());
  }

  @Test
  void anAgentThatNothingBringsBackKeepsItsTeamsWhereThereIsNoOtherPlace() {
    bed.agents.agentDies(alice);
    bed.settle("t1");

    bed.clock.advance(AGENT_GONE);
    TeamLoop.Turn turn = bed.settle("t1");

    assertThat(turn).isEqualTo(new TeamLoop.Turn.After(Duration.ofSeconds(30)));
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    bed.assertRouted("t1", bed.exercise("t1"));
    assertThat(bed.status("t1").recoveryCount()).isNull();

    bed.machine("bob-1", "Bob", 4);
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void aMachineThatComesBackBeforeAnotherWasFoundKeepsItsTeam() {
    bed.agents.lose(alice);
    bed.settle("t1");
    assertThat(bed.condition("t1", PLACED)).isEqualTo("False:NoCapacity");
    bed.assertRouted("t1", new Target.WaitingRoom(Why.RECOVERING));
    bed.clock.advance(Duration.ofSeconds(30));

    bed.agents.connect(alice, List.of(running("t1", 1)));
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(1);
    assertThat(bed.status("t1").recoveries().getFirst().to()).isEqualTo("alice-1");
    assertThat(bed.status("t1").recoveries().getFirst().duration()).isEqualTo("30.000s");
    bed.assertRouted("t1", bed.exercise("t1"));
  }

  @Test
  void aTeamThatHadNoRoomIsPlacedAsSoonAsThereIsSome() {
    bed.agents.lose(alice);
    bed.settle("t1");

    bed.machine("bob-1", "Bob", 4);
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.status("t1").recoveryCount()).isEqualTo(1);
    assertThat(bed.events)
        .anyMatch(event -> event.startsWith("WARNING NoCapacity"))
        .anyMatch(event -> event.startsWith("WARNING Recovering"))
        .anyMatch(event -> event.equals("NORMAL Placed: bound to bob-1, epoch 2"));
  }

  @Test
  void underManualPolicyAPersonStartsTheRecovery() {
    bed.machine("bob-1", "Bob", 4);
    edit(spec -> with(spec, RecoveryPolicy.MANUAL));
    bed.agents.lose(alice);
    bed.settle("t1");
    assertThat(bed.condition("t1", READY)).isEqualTo("False:RecoveryAwaitsApproval");
    assertThat(bed.find("t1", READY).orElseThrow().getMessage()).contains("crowdlab.dev/rebind=1");
    bed.assertRouted("t1", new Target.WaitingRoom(Why.STALLED));

    annotate(Names.REBIND, "1");
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void aReplacedObjectIsAnotherMachine() {
    bed.machine("bob-1", "Bob", 4);
    ContributedVM other = vm("alice-1", "Alice", 4);
    other.getMetadata().setUid("uid-another");

    bed.change(other);
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.status("t1").recoveries().getFirst().cause())
        .isEqualTo(RecoveryCause.VM_DELETED);
  }

  @Test
  void aQuarantinedMachineLosesItsTeamsWithoutBeingAskedToStopFirst() {
    bed.machine("bob-1", "Bob", 4);
    bed.agents.obedient(false);
    ContributedVM quarantined = vm("alice-1", "Alice", 4);
    quarantined.setStatus(
        quarantined.getStatus().toBuilder().quarantine(new Quarantine("q1", null, null)).build());

    bed.change(quarantined);
    bed.reconcile("t1");

    assertThat(bed.workspaces.standing(bed.workspace("t1")).orElseThrow().vm())
        .isEqualTo("uid-bob-1");
    // It is told to stop all the same, once another machine has the workspace.
    bed.settle("t1");
    assertThat(bed.agents.sent(alice)).last().isInstanceOf(ToAgent.Stop.class);
    assertThat(bed.status("t1").superseded()).hasSize(1);
    bed.agents.gone(alice, ref("t1"), 1);
    bed.settle("t1");
    assertThat(bed.status("t1").superseded()).isEmpty();
  }

  @Test
  void aReturningMachineStopsWhatIsOverBeforeItCarriesTeamsAgain() {
    bed.machine("bob-1", "Bob", 4);
    bed.agents.lose(alice);
    bed.settle("t1");
    bed.agents.obedient(false);

    bed.agents.connect(alice, List.of(running("t1", 1), running("other", 7)));

    assertThat(bed.staleRuns.examine(alice)).isEqualTo(StaleRuns.Finding.NOT_CLEAN);
    assertThat(bed.staleRuns.isClean(alice)).isFalse();
    assertThat(bed.agents.sent(alice))
        .filteredOn(ToAgent.Stop.class::isInstance)
        .extracting(message -> ((ToAgent.Stop) message).teamUid())
        .contains("uid-t1", "uid-other");
    bed.agents.gone(alice, ref("t1"), 1);
    bed.agents.gone(alice, ref("other"), 7);
    assertThat(bed.staleRuns.examine(alice)).isEqualTo(StaleRuns.Finding.CLEAN);
    assertThat(bed.staleRuns.isClean(alice)).isTrue();
  }

  @Test
  void whileTheApiIsAwayNothingIsStopped() {
    bed.teams.down(true);

    assertThatThrownBy(() -> bed.staleRuns.examine(alice))
        .isInstanceOf(KubernetesClientException.class);

    assertThat(bed.agents.sent(alice)).noneMatch(ToAgent.Stop.class::isInstance);
  }

  @Test
  void aRunAboveWhatStatusKnowsIsNotStopped() {
    bed.agents.obedient(false);
    bed.agents.connect(alice, List.of(running("t1", 9)));

    assertThat(bed.staleRuns.examine(alice)).isEqualTo(StaleRuns.Finding.CLEAN_SO_FAR);
    assertThat(bed.agents.sent(alice)).noneMatch(ToAgent.Stop.class::isInstance);
  }

  // ---- the fence

  @Test
  void nothingRunsBeforeTheFenceIsProven() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    bed.workspaces.holdOldEpochs(bed.workspace("t1"));

    bed.agents.lose(alice);
    bed.settle("t1");

    assertThat(bed.condition("t1", WORKSPACE_ATTACHED)).isEqualTo("False:FenceUnproven");
    assertThat(bed.status("t1").backoff().attempts()).isEqualTo(1);
    assertThat(bed.agents.sent(bob)).noneMatch(ToAgent.Run.class::isInstance);
    bed.workspaces.heal();
    bed.clock.advance(Duration.ofSeconds(2));
    bed.settle("t1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(2);
  }

  @Test
  void aStatusThatWasRolledBackGoesOnAboveWhatTheFileServerKnows() {
    var old = bed.status("t1");
    bed.machine("bob-1", "Bob", 4);
    bed.agents.lose(alice);
    bed.settle("t1");
    bed.agents.connect(alice);
    bed.staleRuns.examine(alice);
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(2);

    bed.teams.editStatus("t1", status -> old);
    bed.restartOperator();
    bed.settle("t1");

    assertThat(bed.status("t1").binding().epoch()).isEqualTo(3);
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void whatAnEpochRunsThatStatusHasForgottenIsStopped() {
    // given
    var old = bed.status("t1");
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    bed.agents.lose(alice);
    bed.settle("t1");
    bed.agents.connect(alice);
    bed.staleRuns.examine(alice);
    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");

    // when
    bed.teams.editStatus("t1", status -> old);
    bed.settle("t1");

    // then
    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    assertThat(bed.agents.sent(bob))
        .filteredOn(ToAgent.Stop.class::isInstance)
        .extracting(stop -> ((ToAgent.Stop) stop).epoch())
        .containsExactly(2L);
    assertThat(bed.agents.reports(bob)).isEmpty();
  }

  @Test
  void aWriteInBetweenIsObservedBeforeAnythingIsDone() {
    bed.machine("bob-1", "Bob", 4);
    bed.agents.lose(alice);
    bed.teams.beforeWrite(
        team -> {
          bed.teams.beforeWrite(none -> {});
          edit(spec -> suspended(spec, true, null));
        });

    bed.settle("t1");

    assertThat(bed.status("t1").binding()).isNull();
    assertThat(bed.status("t1").phase()).isEqualTo(TeamPhase.SUSPENDED);
    assertThat(bed.workspaces.changes()).noneMatch(change -> change.contains("bob"));
  }

  @Test
  void aStaleCacheNeitherMovesNorRunsAnything() {
    bed.machine("bob-1", "Bob", 4);
    bed.teams.holdCache(true);
    bed.agents.lose(alice);
    bed.settle("t1");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(2);

    bed.settle("t1");

    assertThat(bed.status("t1").binding().epoch()).isEqualTo(2);
    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
  }

  // ---- planned moves

  private void drainAlice() {
    bed.change(withSpec(vm("alice-1", "Alice", 4), true, true));
    bed.settle("t1");
  }

  private void assertServesAsBefore(Target.Exercise before) {
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(1);
    assertThat(bed.status("t1").recoveryCount()).isNull();
    assertThat(bed.agents.sent(alice)).noneMatch(ToAgent.Stop.class::isInstance);
    bed.assertRouted("t1", before);
  }

  private static ToAgent.Run ahead(ToAgent message) {
    return requireNonNull(((ToAgent.Prepare) message).run());
  }

  @Test
  void aDrainedMachinesTeamIsStoppedInOrderBeforeItsWorkspaceMoves() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    bed.agents.obedient(false);
    drainAlice();
    bed.agents.prepared(bob, ref("t1"), null);
    bed.settle("t1");

    assertThat(bed.agents.sent(alice)).last().isInstanceOf(ToAgent.Stop.class);
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(1);
    bed.assertRouted("t1", new Target.WaitingRoom(Why.RECOVERING));
    bed.agents.gone(alice, ref("t1"), 1);
    bed.settle("t1");
    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.status("t1").superseded()).isEmpty();
    bed.agents.healthy(bob, ref("t1"));
    bed.settle("t1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.status("t1").recoveries().getFirst().cause())
        .isEqualTo(RecoveryCause.VM_DRAINED);
  }

  @Test
  void whatNeedsNoFenceIsMadeOnTheNewMachineOnceWhileTheOldOneServes() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    Target.Exercise before = bed.exercise("t1");
    bed.agents.obedient(false);

    drainAlice();

    assertThat(bed.agents.sent(bob)).hasSize(1);
    ToAgent.Run ahead = ahead(bed.agents.sent(bob).getFirst());
    assertThat(ahead.epoch()).isEqualTo(2);
    assertThat(ahead.mount()).isNull();
    assertServesAsBefore(before);

    bed.agents.obedient(true);
    bed.agents.prepared(bob, ref("t1"), null);
    bed.settle("t1");

    ToAgent.Run run = (ToAgent.Run) bed.agents.sent(bob).getLast();
    assertThat(run.withMount(null)).isEqualTo(ahead);
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void theOldRunServesUntilTheIngressSendsNobodyThereAnyMore() {
    bed.bounds(TeamSettings.Bounds.DEFAULT.withIngress(Duration.ofMillis(250)));
    bed.settle("t1");
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    bed.agents.obedient(false);
    drainAlice();
    bed.agents.prepared(bob, ref("t1"), null);

    bed.settle("t1");
    bed.clock.advance(Duration.ofMillis(100));
    TeamLoop.Turn turn = bed.settle("t1");

    bed.assertRouted("t1", new Target.WaitingRoom(Why.RECOVERING));
    assertThat(turn).isEqualTo(new TeamLoop.Turn.After(Duration.ofMillis(150)));
    assertThat(bed.agents.sent(alice)).noneMatch(ToAgent.Stop.class::isInstance);

    bed.clock.advance(Duration.ofMillis(150));
    bed.settle("t1");
    assertThat(bed.agents.sent(alice)).last().isInstanceOf(ToAgent.Stop.class);
  }

  @Test
  void aTeamMovesOnAsSoonAsAllIsSavedAndTheRestIsRemovedMeanwhile() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    bed.agents.obedient(false);
    drainAlice();
    bed.agents.prepared(bob, ref("t1"), null);
    bed.settle("t1");

    bed.agents.ending(alice, ref("t1"), State.STOPPING);
    bed.settle("t1");
    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    bed.agents.ending(alice, ref("t1"), State.STOPPED);
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.workspaces.standing(bed.workspace("t1")))
        .as("fenced all the same")
        .hasValueSatisfying(fence -> assertThat(fence.epoch()).isEqualTo(2));
    assertThat(bed.status("t1").superseded()).as("to confirm that nothing is left").hasSize(1);

    bed.agents.gone(alice, ref("t1"), 1);
    bed.settle("t1");
    assertThat(bed.status("t1").superseded()).isEmpty();
  }

  @Test
  void aMachineThatCannotBeMadeReadyIsTriedTwiceThenTheNextOneIs() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    VmRef carol = bed.machine("carol-1", "Carol", 4);
    Target.Exercise before = bed.exercise("t1");
    bed.agents.obedient(false);
    drainAlice();

    bed.agents.prepared(bob, ref("t1"), RunFailure.IMAGE_MISSING);
    bed.settle("t1");
    assertThat(bed.agents.sent(bob)).as("told again").hasSize(2);
    assertThat(bed.agents.sent(carol)).isEmpty();
    bed.agents.prepared(bob, ref("t1"), RunFailure.IMAGE_MISSING);
    bed.settle("t1");

    assertThat(bed.agents.sent(bob)).last().isInstanceOf(ToAgent.Stop.class);
    assertThat(bed.events)
        .anyMatch(
            event -> event.contains("does not move to bob-1") && event.contains("an image is"));
    assertThat(ahead(bed.agents.sent(carol).getLast()).epoch()).isEqualTo(2);
    assertServesAsBefore(before);

    bed.agents.obedient(true);
    bed.agents.prepared(carol, ref("t1"), null);
    bed.settle("t1");
    assertThat(bed.status("t1").binding().vm()).isEqualTo("carol-1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void aMachineThatIsStillBusyWithAnEarlierEpochIsAskedAgainAndNotLeftAlone() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    Target.Exercise before = bed.exercise("t1");
    bed.agents.obedient(false);
    drainAlice();
    for (int i = 0; i < 5; i++) {
      bed.agents.prepared(
          bob, Prepared.notYet(ahead(bed.agents.sent(bob).getLast()), "an earlier one is here"));
      assertThat(bed.settle("t1")).isEqualTo(new TeamLoop.Turn.After(Duration.ofSeconds(5)));
      bed.clock.advance(Duration.ofSeconds(5));
    }
    assertThat(bed.agents.sent(bob)).as("asked each time").hasSize(6);
    assertServesAsBefore(before);

    bed.agents.obedient(true);
    bed.agents.prepared(bob, ref("t1"), null);
    bed.settle("t1");
    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
  }

  @Test
  void aPullSecretThatIsMissingKeepsTheTeamWhereItIsAndIsHeldAgainstNoMachine() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    Target.Exercise before = bed.exercise("t1");
    bed.pullSecret = Outcome.later(Reason.SECRET_NOT_FOUND, "there is no Secret pull");
    bed.agents.obedient(false);

    drainAlice();
    TeamLoop.Turn turn = bed.settle("t1");

    assertThat(turn).isEqualTo(new TeamLoop.Turn.After(Duration.ofSeconds(30)));
    assertServesAsBefore(before);
    assertThat(bed.agents.sent(bob)).noneMatch(ToAgent.Prepare.class::isInstance);
    assertThat(bed.events)
        .anyMatch(event -> event.contains("stays where it is") && event.contains("no Secret pull"));

    bed.agents.obedient(true);
    bed.pullSecret = Outcome.done(Optional.of(new RegistryAuth("{}")));
    bed.settle("t1");
    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void aRebindWithoutItsPullSecretStopsNothing() {
    bed.machine("bob-1", "Bob", 4);
    Target.Exercise before = bed.exercise("t1");
    bed.pullSecret = Outcome.later(Reason.SECRET_NOT_FOUND, "there is no Secret pull");

    annotate(Names.REBIND, "1");
    TeamLoop.Turn turn = bed.settle("t1");

    assertThat(turn).isEqualTo(new TeamLoop.Turn.After(Duration.ofSeconds(30)));
    assertServesAsBefore(before);
  }

  @Test
  void aTeamThatNoMachineCanBeMadeReadyForStaysAndLooksAgain() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    Target.Exercise before = bed.exercise("t1");
    bed.agents.obedient(false);
    drainAlice();
    bed.agents.prepared(bob, ref("t1"), RunFailure.IMAGE_MISSING);
    bed.settle("t1");

    bed.agents.prepared(bob, ref("t1"), RunFailure.IMAGE_MISSING);
    TeamLoop.Turn turn = bed.settle("t1");

    assertThat(turn).isEqualTo(new TeamLoop.Turn.After(Duration.ofSeconds(30)));
    assertThat(bed.events)
        .anyMatch(
            event -> event.contains("1 of 2 matching machines take new teams, and could not"));
    assertServesAsBefore(before);
    int sent = bed.agents.sent(bob).size();
    bed.clock.advance(Duration.ofMinutes(2));
    bed.settle("t1");
    assertThat(bed.agents.sent(bob)).as("asked again").hasSize(sent + 1);
    assertServesAsBefore(before);
  }

  @Test
  void aRebindThatNoOtherMachineCanBeMadeReadyForStartsAnewWhereItIs() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    bed.agents.obedient(false);
    annotate(Names.REBIND, "1");
    bed.settle("t1");
    bed.agents.prepared(bob, ref("t1"), RunFailure.HOST_UNFIT);
    bed.settle("t1");
    bed.agents.obedient(true);

    bed.agents.prepared(bob, ref("t1"), RunFailure.HOST_UNFIT);
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(2);
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void aMachineThatTakesTooLongToGetReadyIsNotWaitedForAndGoesOnPulling() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    Target.Exercise before = bed.exercise("t1");
    bed.agents.obedient(false);
    drainAlice();

    bed.clock.advance(TeamSettings.Bounds.DEFAULT.ahead().minusSeconds(1));
    TeamLoop.Turn turn = bed.settle("t1");
    assertThat(turn).isEqualTo(new TeamLoop.Turn.After(Duration.ofSeconds(1)));
    bed.clock.advance(Duration.ofSeconds(1));
    turn = bed.settle("t1");

    assertThat(turn).isEqualTo(new TeamLoop.Turn.After(Duration.ofSeconds(30)));
    assertThat(bed.agents.sent(bob))
        .contains(new ToAgent.Prepare("uid-t1", List.of("localhost/exercise:1"), null));
    assertServesAsBefore(before);
  }

  @Test
  void aDrainThatIsTakenBackInTimeLeavesNothingOnTheOtherMachine() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    Target.Exercise before = bed.exercise("t1");
    bed.agents.obedient(false);
    drainAlice();

    bed.change(vm("alice-1", "Alice", 4));
    bed.settle("t1");

    assertThat(bed.agents.sent(bob)).last().isInstanceOf(ToAgent.Stop.class);
    assertThat(((ToAgent.Stop) bed.agents.sent(bob).getLast()).epoch()).isEqualTo(2);
    assertServesAsBefore(before);
  }

  @Test
  void aMachineThatDiesWhileItsTeamIsAboutToLeaveIsLeftAtOnce() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    bed.agents.obedient(false);
    drainAlice();

    bed.agents.lose(alice);
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.agents.sent(bob)).noneMatch(ToAgent.Stop.class::isInstance);
    assertThat(bed.status("t1").recoveries().getFirst().cause()).isEqualTo(RecoveryCause.VM_LOST);
  }

  @Test
  void aMachineThatDoesNotStopIsLeftAfterTheBound() {
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    bed.agents.obedient(false);
    drainAlice();
    bed.agents.prepared(bob, ref("t1"), null);
    bed.settle("t1");

    bed.clock.advance(TeamSettings.Bounds.DEFAULT.stop());
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.status("t1").superseded()).hasSize(1);
  }

  @Test
  void aDrainWithoutRoomElsewhereLeavesTheTeamWhereItIs() {
    bed.change(withSpec(vm("alice-1", "Alice", 4), true, true));
    bed.settle("t1");
    bed.restartOperator();
    TeamLoop.Turn turn = bed.settle("t1");

    assertThat(turn).isEqualTo(new TeamLoop.Turn.After(Duration.ofSeconds(30)));
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.agents.sent(alice)).noneMatch(ToAgent.Stop.class::isInstance);
    assertThat(bed.status("t1").recoveryCount()).isNull();
  }

  @Test
  void aTeamWithoutRoomElsewhereIsInTheWaitingRoomOnceItsMachineIsGivenBack() {
    ContributedVM leaving = withSpec(vm("alice-1", "Alice", 4), true, true);
    bed.change(leaving);
    bed.settle("t1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");

    leaving.setStatus(
        leaving.getStatus().toBuilder()
            .voice(
                new Voice(
                    dev.crowdlab.api.Wish.LEAVE,
                    Times.format(Samples.T0),
                    Times.format(Samples.T0),
                    "l1"))
            .build());
    bed.change(leaving);
    bed.settle("t1");

    bed.assertRouted("t1", new Target.WaitingRoom(Why.RECOVERING));
    assertThat(bed.condition("t1", READY)).startsWith("False:");
  }

  @Test
  void anEditedExerciseRestartsOnItsMachineUnderANewEpoch() {
    bed.machine("bob-1", "Bob", 4);

    edit(spec -> spec("t1", "another:2"));
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(2);
    assertThat(bed.agents.sent(alice))
        .extracting(message -> message.getClass().getSimpleName())
        .containsSubsequence("Run", "Stop", "Run");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void anEditedExerciseStaysOnACordonedMachine() {
    bed.machine("bob-1", "Bob", 4);
    bed.change(withSpec(vm("alice-1", "Alice", 4), false, false));

    edit(spec -> spec("t1", "another:2"));
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void anotherHostOnlyReroutes() {
    long runs = runs();

    edit(spec -> with(spec, new AccessSpec("new.lab.example.org", "/", "http", null, null, null)));
    bed.settle("t1");

    assertThat(bed.status("t1").url()).isEqualTo("http://new.lab.example.org/");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(1);
    assertThat(runs()).isEqualTo(runs);
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.status("t1").observedGeneration()).isEqualTo(2);
  }

  @Test
  void anotherSizeIsSetOnTheFileServerAndTheExerciseGoesOn() {
    edit(spec -> with(spec, new WorkspaceSpec(new Quantity("5Gi"), null)));
    bed.settle("t1");

    assertThat(bed.workspaces.standing(bed.workspace("t1")).orElseThrow().sizeBytes())
        .isEqualTo(5L << 30);
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(1);
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void theRebindAnnotationMovesTheTeamOnce() {
    bed.machine("bob-1", "Bob", 4);
    annotate(Names.REBIND, "7");
    bed.settle("t1");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(1);

    annotate(Names.REBIND, "1");
    bed.settle("t1");
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(2);
    assertThat(bed.status("t1").recoveries().getFirst().cause()).isEqualTo(RecoveryCause.REQUESTED);
  }

  @Test
  void aMachinesNewAddressIsRoutedTo() {
    ContributedVM moved = vm("alice-1", "Alice", 4);
    moved.setStatus(moved.getStatus().toBuilder().address("10.77.9.9").build());

    bed.change(moved);
    bed.settle("t1");

    bed.assertRouted("t1", new Target.Exercise("10.77.9.9", bed.status("t1").binding().port()));
    assertThat(bed.status("t1").binding().address()).isEqualTo("10.77.9.9");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(1);
  }

  @Test
  void aRunThatCannotBeSentIsSaidAndTriedLaterAndLater() {
    bed.agents.refuseRuns(
        Optional.of(
            new Outcome.Failure(
                Outcome.Failure.Kind.TERMINAL, Reason.CONTAINER_FAILED, "too large to be sent")));
    edit(spec -> spec("t1", "another:1"));
    bed.settle("t1");

    assertThat(bed.condition("t1", "ExerciseRunning")).isEqualTo("False:ContainerFailed");
    int reads = bed.teams.reads();
    bed.settle("t1");
    assertThat(bed.teams.reads()).isEqualTo(reads);

    bed.agents.refuseRuns(Optional.empty());
    bed.clock.advance(Duration.ofMinutes(6));
    bed.settle("t1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  // ---- rest

  @Test
  void aSuspendedTeamRestsAndResumesWithItsWorkspace() {
    edit(spec -> suspended(spec, true, null));
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Suspended");
    assertThat(bed.status("t1").binding()).isNull();
    assertThat(bed.workspaces.standing(bed.workspace("t1")).orElseThrow().key()).isNull();
    assertThat(bed.agents.sent(alice)).last().isInstanceOf(ToAgent.Stop.class);
    bed.assertRouted("t1", new Target.WaitingRoom(Why.SUSPENDED));

    edit(spec -> suspended(spec, false, null));
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(3);
    assertThat(bed.status("t1").recoveryCount()).isNull();
  }

  @Test
  void anExpiredTeamIsSuspendedInTimeAndALongerTimeStartsItAgain() {
    edit(spec -> suspended(spec, false, "2h"));

    TeamLoop.Turn turn = bed.settle("t1");

    assertThat(turn).isEqualTo(new TeamLoop.Turn.After(Duration.ofHours(2)));
    bed.clock.advance(Duration.ofHours(2));
    bed.settle("t1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Expired");
    edit(spec -> suspended(spec, false, "3h"));
    bed.settle("t1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void aPausedTeamIsNotTouchedAndGoesOnWhereItWas() {
    bed.machine("bob-1", "Bob", 4);
    annotate(Names.PAUSED, Names.TRUE);
    bed.agents.lose(alice);

    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Paused");
    bed.teams.edit("t1", team -> team.getMetadata().setAnnotations(Map.of()));
    bed.settle("t1");
    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  // ---- failures of the run

  @Test
  void aMissingImageMovesNobodyAndIsTriedAgainWithBackoff() {
    bed.machine("bob-1", "Bob", 4);
    bed.agents.obedient(false);
    edit(spec -> spec("t1", "missing:1"));
    bed.settle("t1");
    bed.agents.gone(alice, ref("t1"), 1);
    bed.settle("t1");
    bed.agents.fail(alice, ref("t1"), RunFailure.IMAGE_MISSING, "no such image");
    TeamLoop.Turn turn = bed.settle("t1");

    assertThat(bed.condition("t1", EXERCISE_RUNNING)).isEqualTo("False:ImagePullFailed");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(2);
    assertThat(turn)
        .isInstanceOfSatisfying(
            TeamLoop.Turn.After.class,
            after ->
                assertThat(after.delay()).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(7)));

    bed.clock.advance(Duration.ofSeconds(7));
    bed.settle("t1");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(3);
    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    bed.agents.fail(alice, ref("t1"), RunFailure.IMAGE_MISSING, "no such image");
    bed.settle("t1");
    assertThat(bed.status("t1").backoff().attempts()).isEqualTo(2);
    assertThat(bed.status("t1").recoveryCount()).isEqualTo(1);
  }

  @Test
  void aCorrectedSpecIsTriedAtOnce() {
    bed.agents.obedient(false);
    edit(spec -> spec("t1", "missing:1"));
    bed.settle("t1");
    bed.agents.gone(alice, ref("t1"), 1);
    bed.settle("t1");
    bed.agents.fail(alice, ref("t1"), RunFailure.IMAGE_MISSING, "no such image");
    bed.settle("t1");
    bed.agents.obedient(true);

    edit(spec -> spec("t1", "right:1"));
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void aMachineThatCannotMountIsLeft() {
    bed.machine("bob-1", "Bob", 4);
    bed.agents.obedient(false);
    bed.agents.report(alice, failed("t1", 1, RunFailure.MOUNT_FAILED));
    bed.settle("t1");
    bed.clock.advance(Duration.ofMillis(200));
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("bob-1");
    assertThat(bed.status("t1").recoveries().getFirst().cause())
        .isEqualTo(RecoveryCause.EXERCISE_FAILED);
  }

  @Test
  void aMountThatBrokeIsFencedAndTheTeamStartedAnewWhereItIs() {
    bed.machine("bob-1", "Bob", 4);
    bed.agents.obedient(false);
    bed.agents.report(alice, failed("t1", 1, RunFailure.MOUNT_LOST));
    bed.agents.obedient(true);
    bed.settle("t1");
    bed.clock.advance(Duration.ofMillis(200));
    bed.settle("t1");

    assertThat(bed.status("t1").binding().vm()).isEqualTo("alice-1");
    assertThat(bed.status("t1").binding().epoch()).isEqualTo(2);
    assertThat(bed.status("t1").recoveries().getFirst().cause())
        .isEqualTo(RecoveryCause.MOUNT_LOST);
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void theContainersLastLinesAreTold() {
    TeamReport report = failed("t1", 1, RunFailure.CONTAINER_EXITED);

    bed.agents.report(
        alice,
        new TeamReport(
            report.teamUid(),
            report.namespace(),
            report.name(),
            report.epoch(),
            report.state(),
            report.code(),
            "container web ended",
            List.of(new ContainerReport("web", false, 3, 1, "httpd: cannot bind"))));
    bed.settle("t1");

    assertThat(bed.find("t1", EXERCISE_RUNNING).orElseThrow().getMessage())
        .contains("container web ended")
        .contains("web: httpd: cannot bind");
  }

  @Test
  void aPullSecretThatAppearsIsUsedWithinSeconds() {
    bed.pullSecret = Outcome.later(Reason.SECRET_NOT_FOUND, "there is no Secret pull");
    edit(spec -> spec("t1", "registry.example.org/web:1"));
    bed.settle("t1");
    assertThat(bed.condition("t1", EXERCISE_RUNNING)).isEqualTo("False:SecretNotFound");

    bed.pullSecret = Outcome.done(Optional.of(new RegistryAuth("{}")));
    bed.clock.advance(Duration.ofSeconds(6));
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.agents.sent(alice))
        .last()
        .isInstanceOfSatisfying(
            ToAgent.Run.class, run -> assertThat(run.registryAuth()).isNotNull());
  }

  @Test
  void whatIsMadeAheadDoesNotWaitForTheSecretOfItsImages() {
    bed.pullSecret = Outcome.later(Reason.SECRET_NOT_FOUND, "there is no Secret pull");
    VmRef bob = bed.machine("bob-1", "Bob", 4);
    bed.agents.lose(alice);
    bed.settle("t1");

    assertThat(bed.condition("t1", EXERCISE_RUNNING)).isEqualTo("False:SecretNotFound");
    assertThat(bed.agents.sent(bob))
        .anyMatch(order -> order instanceof ToAgent.Prepare ahead && ahead.run() != null);
  }

  // ---- restarts of the operator

  @Test
  void aRestartedOperatorLearnsWhatRunsAndTouchesNothing() {
    int writes = bed.teams.writes().size();
    int routes = bed.routes.changes().size();
    bed.restartOperator();

    bed.settle("t1");

    assertThat(bed.teams.writes()).hasSize(writes);
    assertThat(bed.routes.changes()).hasSize(routes);
    assertThat(bed.workspaces.changes()).hasSize(1);
    assertThat(bed.agents.wanted(alice)).hasSize(1);
  }

  @Test
  void whileTheFileServerIsAwayARestartedOperatorLeavesTeamsReady() {
    bed.restartOperator();
    bed.workspaces.failWith(
        new Outcome.Failure(
            Outcome.Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, "away"));

    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    bed.workspaces.heal();
    bed.clock.advance(Duration.ofSeconds(31));
    bed.settle("t1");
    assertThat(bed.workspaces.changes()).hasSize(1);
  }

  @Test
  void aWorkspaceThatReachedItsQuotaIsToldUntilThereIsRoom() {
    List<TeamRef> woken = new ArrayList<>();
    long size = bed.workspaces.standing(bed.workspace("t1")).orElseThrow().sizeBytes();
    bed.workspaces.use(bed.workspace("t1"), size - 100);

    bed.quotas.look(woken::add);
    bed.settle("t1");

    assertThat(woken).containsExactly(ref("t1"));
    assertThat(bed.condition("t1", READY)).isEqualTo("True:WorkspaceFull");
    assertThat(bed.condition("t1", WORKSPACE_ATTACHED)).isEqualTo("True:WorkspaceFull");

    bed.quotas.look(woken::add);
    assertThat(woken).hasSize(1);
    bed.workspaces.use(bed.workspace("t1"), size / 2);
    bed.quotas.look(woken::add);
    bed.settle("t1");

    assertThat(woken).hasSize(2);
    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
  }

  @Test
  void aFullWorkspaceThatIsEnlargedIsNotToldFullAnyMoreBeforeTheNextLookAtAll() {
    long size = bed.workspaces.standing(bed.workspace("t1")).orElseThrow().sizeBytes();
    bed.workspaces.use(bed.workspace("t1"), size);
    bed.quotas.look(team -> {});
    bed.settle("t1");
    assertThat(bed.condition("t1", READY)).isEqualTo("True:WorkspaceFull");

    edit(spec -> with(spec, new WorkspaceSpec(new Quantity("5Gi"), null)));
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:Ready");
    assertThat(bed.condition("t1", WORKSPACE_ATTACHED)).isEqualTo("True:Attached");
  }

  @Test
  void aRestartedOperatorGoesOnTellingThatAWorkspaceIsFull() {
    long size = bed.workspaces.standing(bed.workspace("t1")).orElseThrow().sizeBytes();
    bed.workspaces.use(bed.workspace("t1"), size);
    bed.quotas.look(team -> {});
    bed.settle("t1");
    int writes = bed.teams.writes().size();

    bed.restartOperator();
    bed.settle("t1");

    assertThat(bed.condition("t1", READY)).isEqualTo("True:WorkspaceFull");
    assertThat(bed.teams.writes()).hasSize(writes);
  }

  @Test
  void howFullAWorkspaceIsStaysAsItWasWhileTheFileServerIsAway() {
    long size = bed.workspaces.standing(bed.workspace("t1")).orElseThrow().sizeBytes();
    bed.workspaces.use(bed.workspace("t1"), size);
    bed.quotas.look(team -> {});
    bed.workspaces.failWith(
        new Outcome.Failure(
            Outcome.Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, "away"));

    bed.quotas.look(team -> {});

    assertThat(bed.quotas.isFull("uid-t1")).isTrue();
  }

  @Test
  void aRouteThatDriftedIsWrittenAgain() {
    bed.routes.remove(ref("t1"));

    bed.loop.routeDrifted(ref("t1"));
    bed.settle("t1");

    bed.assertRouted("t1", bed.exercise("t1"));
  }

  // ---- the end

  @Test
  void aDeletedTeamLeavesNothing() {
    var workspace = bed.workspace("t1");
    delete();

    bed.settle("t1");

    assertThat(bed.teams.exists("t1")).isFalse();
    assertThat(bed.routes.target(ref("t1"))).isEmpty();
    assertThat(bed.agents.reports(alice)).isEmpty();
    assertThat(bed.workspaces.retention(workspace)).contains(Duration.ofDays(7));
    bed.create("t2");
    bed.settle("t2");
    assertThat(bed.condition("t2", READY)).isEqualTo("True:Ready");
  }

  @Test
  void aDeadMachineHoldsUpNoDeletion() {
    bed.agents.lose(alice);
    delete();

    bed.settle("t1");

    assertThat(bed.teams.exists("t1")).isFalse();
  }

  @Test
  void aMachineWhoseObjectIsGoneHoldsUpNoDeletion() {
    bed.vms.remove("alice-1");
    bed.agents.forget(alice);
    delete();

    bed.settle("t1");

    assertThat(bed.teams.exists("t1")).isFalse();
  }

  @Test
  void aMachineWhoseObjectWentFirstStopsAllTheSame() {
    bed.vms.remove("alice-1");
    delete();

    bed.settle("t1");

    assertThat(bed.teams.exists("t1")).isFalse();
    assertThat(bed.agents.reports(alice)).isEmpty();
  }

  @Test
  void aSilentAgentIsWaitedForAWhileBecauseItMayYetStopInOrder() {
    bed.agents.agentDies(alice);
    delete();
    bed.settle("t1");
    assertThat(bed.teams.exists("t1")).isTrue();
    assertThat(bed.status("t1").phase()).isEqualTo(TeamPhase.TERMINATING);

    bed.clock.advance(TeamSettings.Bounds.DEFAULT.stop());
    bed.settle("t1");

    assertThat(bed.teams.exists("t1")).isFalse();
  }

  @Test
  void aTeamDeletedWhileNobodyWasThereIsStoppedInOrderByTheNextOperator() {
    bed.agents.agentDies(alice);
    delete();
    bed.clock.advance(TeamSettings.Bounds.DEFAULT.removal().multipliedBy(2));
    bed.restartOperator();
    bed.settle("t1");
    assertThat(bed.teams.exists("t1")).as("its agent has yet to dial").isTrue();

    bed.agents.connect(alice, List.of(running("t1", 1)));
    bed.settle("t1");

    assertThat(bed.teams.exists("t1")).isFalse();
    assertThat(bed.agents.reports(alice)).isEmpty();
    assertThat(bed.events).noneMatch(event -> event.startsWith("WARNING CleanupAbandoned"));
  }

  @Test
  void aFileServerThatIsAwayHoldsUpADeletionOnlyForItsBound() {
    bed.workspaces.failWith(
        new Outcome.Failure(
            Outcome.Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, "away"));
    delete();
    bed.settle("t1");
    assertThat(bed.teams.exists("t1")).isTrue();

    bed.clock.advance(TeamSettings.Bounds.DEFAULT.removal());
    bed.settle("t1");

    assertThat(bed.teams.exists("t1")).isFalse();
    assertThat(bed.events).anyMatch(event -> event.startsWith("WARNING CleanupAbandoned"));
  }

  @Test
  void forceDeleteSkipsTheCleanUp() {
    bed.workspaces.failWith(
        new Outcome.Failure(
            Outcome.Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, "away"));
    annotate(Names.FORCE_DELETE, Names.TRUE);
    delete();

    bed.reconcile("t1");

    assertThat(bed.teams.exists("t1")).isFalse();
  }

  // ---- helpers

  private long runs() {
    return bed.agents.sent(alice).stream().filter(ToAgent.Run.class::isInstance).count();
  }

  private void delete() {
    bed.teams.edit(
        "t1", team -> team.getMetadata().setDeletionTimestamp(bed.clock.instant().toString()));
  }

  private void annotate(String key, String value) {
    bed.teams.edit("t1", team -> team.getMetadata().setAnnotations(Map.of(key, value)));
  }

  private void edit(UnaryOperator<LabTeamSpec> change) {
    bed.teams.edit("t1", team -> team.setSpec(change.apply(team.getSpec())));
  }

  private static TeamReport running(String team, long epoch) {
    return new TeamReport(
        "uid-" + team, "lab", team, epoch, TeamReport.State.HEALTHY, null, null, List.of());
  }

  private static TeamReport failed(String team, long epoch, RunFailure code) {
    return new TeamReport(
        "uid-" + team, "lab", team, epoch, TeamReport.State.FAILED, code.name(), null, List.of());
  }
}
