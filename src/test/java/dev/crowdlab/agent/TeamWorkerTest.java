package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.agent.Mounts.Attach;
import dev.crowdlab.agent.Mounts.Health;
import dev.crowdlab.agent.Mounts.Place;
import dev.crowdlab.agent.Pods.Pod;
import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TeamWorkerTest {

  private static final Timings QUICK =
      new Timings(
          Duration.ofMillis(2),
          Duration.ofMillis(20),
          Duration.ofSeconds(30),
          Duration.ofMillis(300),
          Duration.ofMillis(300),
          Duration.ofMillis(20),
          Duration.ofMillis(500),
          Duration.ofSeconds(30));

  private static final Pod POD = new Pod("uid-1", 1);
  private static final Place PLACE = new Place("uid-1", 1);

  @TempDir Path folder;

  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final FakePods pods = new FakePods();
  private final FakeMounts mounts = new FakeMounts(pods);
  private final FakeFirewall firewall = new FakeFirewall();
  private final FakeReporter reporter = new FakeReporter();
  private final FakeNetworks networks = new FakeNetworks();
  private final AtomicBoolean listening = new AtomicBoolean(true);
  private final AtomicBoolean free = new AtomicBoolean(true);
  private Host host;
  private Teams teams;

  @BeforeEach
  void start() throws IOException {
    host =
        new Host(
            pods,
            networks,
            mounts,
            firewall,
            new Epochs(folder),
            new Capacity(),
            new RunFiles(folder.resolve("teams"), new Frames()),
            new Host.Ports() {
              @Override
              public boolean answers(String address, int port) {
                return listening.get();
              }

              @Override
              public boolean isFree(int port) {
                return free.get();
              }
            });
    teams = newTeams();
  }

  private Teams newTeams() {
    return newTeams(QUICK);
  }

  private Teams newTeams(Timings timings) {
    return new Teams(host, reporter, timings, executor, timer);
  }

  @AfterEach
  void stop() throws InterruptedException {
    // Work that is under way still sets its alarm; a timer that is gone would throw in its face,
    // and
    // so in the face of whichever other test listens for what nobody catches.
    executor.shutdownNow();
    executor.awaitTermination(5, TimeUnit.SECONDS);
    timer.shutdownNow();
  }

  private TeamReport awaitState(State state) {
    return reporter.awaitReport(report -> report.state() == state);
  }

  private TeamReport awaitFailure(RunFailure code) {
    return reporter.awaitReport(
        report -> report.state() == State.FAILED && code.name().equals(report.code()));
  }

  private void up() {
    teams.order(Runs.run(1));
    awaitState(State.HEALTHY);
  }

  private void assertNothingIsLeft() {
    await().until(() -> !pods.exists(POD) && !mounts.isMounted(PLACE));
    assertThat(firewall.openings()).isEmpty();
    assertThat(networks.devices()).isEmpty();
    assertThat(folder.resolve("teams")).isEmptyDirectory();
  }

  @Test
  void aRunGoesThroughItsStepsInOrder() {
    // when
    teams.order(Runs.run(1));
    awaitState(State.HEALTHY);

    // then
    assertThat(reporter.states())
        .containsExactly(
            State.PREPARING, State.ATTACHING, State.ATTACHED, State.STARTING, State.HEALTHY);
    assertThat(mounts.isMounted(PLACE)).isTrue();
    assertThat(pods.plan(POD).workspace()).isEqualTo(FakeMounts.path(PLACE));
    assertThat(firewall.openings().get("uid-1").forbidden()).hasToString("[10.77.1.9/32]");
  }

  @Test
  void noContainerRunsBeforeTheWorkspaceIsThere() {
    // given
    mounts.serverSays(new Attach.Unreachable("down"));

    // when
    teams.order(Runs.run(1));
    await().until(() -> mounts.attempts() >= 2 && pods.exists(POD));

    // then
    assertThat(pods.isRunning(POD, "web")).isFalse();

    // when
    mounts.serverSays(new Attach.Attached());

    // then
    awaitState(State.HEALTHY);
  }

  @Test
  void containersThatMetAMountOnItsWayAreMadeAgain() {
    // given
    pods.refuse(1);

    // when
    teams.order(Runs.run(1));

    // then
    awaitState(State.HEALTHY);
  }

  @Test
  void containersThatAreRefusedAgainFailTheRun() {
    // given
    pods.refuse(2);

    // when
    teams.order(Runs.run(1));

    // then
    awaitFailure(RunFailure.CONTAINER_REFUSED);
    assertNothingIsLeft();
  }

  @Test
  void aWorkspaceThatCannotBeHadIsToldRatherThanWhatItDidToTheContainers() {
    // given
    mounts.serverSays(new Attach.Distrusted("another host key"));
    pods.refuse(1);

    // when
    teams.order(Runs.run(1));

    // then
    assertThat(awaitFailure(RunFailure.MOUNT_FAILED).message()).contains("another host key");
    assertNothingIsLeft();
  }

  @Test
  void aRunIsHealthyOnlyWhenItsPortsAnswer() {
    // given
    listening.set(false);

    // when
    teams.order(Runs.run(1));

    // then
    assertThat(
            reporter.awaitReport(r -> r.state() == State.STARTING && r.message() != null).message())
        .isEqualTo("nothing listens on port http of container web");

    // when
    listening.set(true);

    // then
    awaitState(State.HEALTHY);
  }

  private void prepare(ToAgent.Run run) {
    teams.prepare(ToAgent.Prepare.of(run));
  }

  @Test
  void whatIsMadeAheadIsNotRunAndNotSpokenOf() {
    // when
    prepare(Runs.run(1));
    await().until(() -> pods.exists(POD));

    // then
    assertThat(pods.isRunning(POD, "web")).isFalse();
    assertThat(mounts.attempts()).isZero();
    assertThat(firewall.openings()).containsKey("uid-1");
    assertThat(reporter.all()).isEmpty();
    assertThat(teams.present()).extracting(TeamReport::state).containsExactly(State.PREPARING);
  }

  @Test
  void aRunTakesUpWhatWasMadeAhead() {
    // given
    prepare(Runs.run(1));
    await().until(() -> pods.exists(POD));

    // when
    teams.order(Runs.run(1));
    awaitState(State.HEALTHY);

    // then
    assertThat(pods.creations()).isEqualTo(1);
    assertThat(reporter.states())
        .containsExactly(
            State.PREPARING, State.ATTACHING, State.ATTACHED, State.STARTING, State.HEALTHY);
    assertThat(firewall.openings().get("uid-1").forbidden()).hasToString("[10.77.1.9/32]");
  }

  @Test
  void aRunThatIsAnotherThanWhatWasMadeAheadIsMadeAnew() {
    // given
    prepare(Runs.run(1));
    await().until(() -> pods.exists(POD));
    pods.offer("registry.example/other:2");

    // when
    teams.order(withImage("registry.example/other:2"));
    awaitState(State.HEALTHY);

    // then
    assertThat(pods.plan(POD).run().containers().getFirst().image())
        .isEqualTo("registry.example/other:2");
  }

  @Test
  void whatFailedAheadIsToldWhenTheRunIsOrdered() {
    // given
    prepare(withImage("registry.example/nowhere:1"));

    // when
    teams.order(withImage("registry.example/nowhere:1"));

    // then
    awaitFailure(RunFailure.IMAGE_MISSING);
    assertNothingIsLeft();
  }

  @Test
  void whatFailedAheadIsTriedAgainWhenTheRunIsOrdered() {
    // given
    prepare(withImage("registry.example/late:1"));
    await().until(() -> pods.pulls() == 1);
    pods.offer("registry.example/late:1");

    // when
    teams.order(withImage("registry.example/late:1"));

    // then
    awaitState(State.HEALTHY);
  }

  @Test
  void aLowerEpochRunsOnAndIsObeyedUntilTheNextIsOrdered() {
    // given
    up();

    int before = reporter.all().size();

    // when
    prepare(Runs.run(2));
    teams.order(Runs.run(1));
    await().until(() -> reporter.all().size() == before + 1);

    // then
    assertThat(reporter.states().getLast()).isEqualTo(State.HEALTHY);
    assertThat(pods.isRunning(POD, "web")).isTrue();

    // when
    teams.order(Runs.run(2));
    reporter.awaitReport(report -> report.epoch() == 2 && report.state() == State.HEALTHY);

    // then
    assertThat(pods.exists(POD)).isFalse();
  }

  @Test
  void theFileServerIsForbiddenHoweverLateTheFirewallIsOpenedAhead() {
    // given
    firewall.hold();
    prepare(Runs.run(1));
    await().until(firewall::waits);
    teams.order(Runs.run(1));
    awaitState(State.PREPARING);

    // when
    firewall.letGo();
    awaitState(State.HEALTHY);

    // then
    assertThat(firewall.openings().get("uid-1").forbidden()).hasToString("[10.77.1.9/32]");
  }

  @Test
  void aStopTakesAwayWhatWasMadeAhead() {
    // given
    prepare(Runs.run(1));
    await().until(() -> pods.exists(POD));

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 0));

    // then
    reporter.awaitGone(1);
    assertNothingIsLeft();
    assertThat(teams.present()).isEmpty();
  }

  @Test
  void aStopInterruptsAPullThatIsDoneAhead() {
    // given
    pods.pullForEver();
    prepare(withImage("registry.example/huge:2"));
    await().until(() -> !teams.present().isEmpty());

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 0));

    // then
    reporter.awaitGone(1);
    assertNothingIsLeft();
    assertThat(reporter.prepared()).as("whoever asked has ended it").isEmpty();
  }

  @Test
  void whatIsAskedForAheadOfAnEpochThatRunsChangesNothing() {
    // given
    up();
    int before = reporter.all().size();

    // when
    prepare(Runs.run(1));
    teams.order(Runs.run(1));
    await().until(() -> reporter.all().size() == before + 1);

    // then
    assertThat(pods.creations()).isEqualTo(1);
    assertThat(pods.isRunning(POD, "web")).isTrue();
  }

  @Test
  void whatIsAskedForAheadOfALowerEpochIsNotMade() {
    // given
    teams.order(Runs.run(5));
    awaitState(State.HEALTHY);

    // when
    prepare(Runs.run(4));
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 3, 0));
    reporter.awaitGone(3);

    // then
    assertThat(pods.exists(new Pod("uid-1", 4))).isFalse();
    assertThat(pods.isRunning(new Pod("uid-1", 5), "web")).isTrue();
    assertThat(awaitPrepared(1).code()).isEqualTo(RunFailure.EPOCH_REFUSED.name());
  }

  @Test
  void anAgentThatStartsAgainTakesAwayWhatWasMadeAhead() {
    // given
    prepare(Runs.run(1));
    await().until(() -> pods.exists(POD));

    // when
    Teams successor = newTeams();
    successor.adopt();

    // then
    assertThat(successor.present()).isEmpty();
    assertThat(pods.exists(POD)).isFalse();
    assertThat(folder.resolve("teams")).isEmptyDirectory();
  }

  private FromAgent.Prepared awaitPrepared(int number) {
    await().until(() -> reporter.prepared().size() >= number);
    return reporter.prepared().get(number - 1);
  }

  @Test
  void whatIsMadeAheadIsToldEachTimeItIsAskedForAndMadeOnce() {
    // when
    prepare(Runs.run(1));

    // then
    assertThat(awaitPrepared(1))
        .isEqualTo(new FromAgent.Prepared("uid-1", "lab", "team-7", 1, null, null));
    assertThat(pods.exists(POD)).isTrue();

    // when
    prepare(Runs.run(1));

    // then
    assertThat(awaitPrepared(2)).isEqualTo(awaitPrepared(1));
    assertThat(pods.creations()).isEqualTo(1);
  }

  @Test
  void whatCannotBeMadeAheadIsToldAndMadeWhenItIsAskedForAgain() {
    // given
    prepare(withImage("registry.example/late:1"));
    assertThat(awaitPrepared(1).code()).isEqualTo(RunFailure.IMAGE_MISSING.name());
    pods.offer("registry.example/late:1");

    // when
    prepare(withImage("registry.example/late:1"));

    // then
    assertThat(awaitPrepared(2).code()).isNull();
    assertThat(pods.exists(POD)).isTrue();
  }

  @Test
  void anotherPlanForTheSameEpochReplacesWhatWasMadeAhead() {
    // given
    prepare(Runs.run(1));
    awaitPrepared(1);
    pods.offer("registry.example/other:2");

    // when
    prepare(withImage("registry.example/other:2"));

    // then
    assertThat(awaitPrepared(2).code()).isNull();
    assertThat(pods.plan(POD).run().containers().getFirst().image())
        .isEqualTo("registry.example/other:2");
  }

  @Test
  void nothingIsMadeAheadBesideAnEpochThatRuns() {
    // given
    up();

    // when
    prepare(Runs.run(2));

    // then
    assertThat(awaitPrepared(1).code()).isEqualTo(FromAgent.Prepared.BUSY);
    assertThat(pods.isRunning(POD, "web")).isTrue();
  }

  @Test
  void whatIsAskedForAheadWhileItsEpochRunsIsMade() {
    // given
    up();

    // when
    prepare(Runs.run(1));

    // then
    assertThat(awaitPrepared(1).code()).isNull();
  }

  @Test
  void whatIsAskedForAheadWhileItsEpochIsTakenAwayHasToWait() {
    // given
    up();
    pods.unremovable(true);
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 5_000));
    awaitState(State.STOPPED);

    // when
    prepare(Runs.run(1));

    // then
    assertThat(awaitPrepared(1).code()).isEqualTo(FromAgent.Prepared.BUSY);
  }

  @Test
  void anErrorWhileItIsMadeAheadIsToldAndConcernsNothingElse() {
    // given
    mounts.breakDown();

    // when
    prepare(Runs.run(1));

    // then
    assertThat(awaitPrepared(1).code()).isEqualTo(RunFailure.INTERNAL.name());
    assertNothingIsLeft();
    assertThat(reporter.states()).isEmpty();

    // when
    prepare(Runs.run(1));

    // then
    assertThat(awaitPrepared(2).code()).isNull();
  }

  @Test
  void aMachineThatIsLeftMakesNothingAheadAndSaysSo() {
    // given
    var _ = teams.leave();

    // when
    prepare(Runs.run(1));

    // then
    assertThat(awaitPrepared(1).code()).isEqualTo(RunFailure.HOST_UNFIT.name());
    assertThat(pods.creations()).isZero();
  }

  @Test
  void whoLooksAfterTooManyTeamsMakesNothingAheadAndSaysSo() {
    // given
    for (int i = 0; i < 256; i++) {
      teams.prepare(ToAgent.Prepare.of(ofTeam("other-" + i)));
    }

    // when
    prepare(Runs.run(1));

    // then
    await()
        .until(
            () ->
                reporter.prepared().stream()
                    .anyMatch(
                        answer ->
                            answer.teamUid().equals("uid-1")
                                && RunFailure.CAPACITY_EXCEEDED.name().equals(answer.code())));
  }

  private static ToAgent.Run ofTeam(String uid) {
    ToAgent.Run run = Runs.run(1);
    return new ToAgent.Run(
        uid,
        run.namespace(),
        uid,
        run.epoch(),
        run.mount(),
        run.containers(),
        run.internet(),
        List.of(),
        run.sources(),
        run.registryAuth(),
        new ToAgent.VmLimits(0, 0, 0));
  }

  @Test
  void whatIsMadeAheadIsSetUpBeforeThatIsTold() {
    // when
    prepare(Runs.run(1));
    awaitPrepared(1);

    // then
    assertThat(pods.isSetUp(POD)).isTrue();
    assertThat(pods.isRunning(POD, "web")).isFalse();

    // when
    teams.order(Runs.run(1));
    awaitState(State.HEALTHY);

    // then
    assertThat(pods.creations()).isEqualTo(1);
  }

  @Test
  void theWorkspaceIsNotMountedWhileContainersAreBeingSetUp() {
    // given
    pods.holdSetUp();
    prepare(Runs.run(1));
    await().until(pods::waitsInSetUp);

    // when
    teams.order(Runs.run(1));
    awaitState(State.PREPARING);

    // then
    assertThat(mounts.attempts()).isZero();

    // when
    pods.letSetUpGo();

    // then
    awaitState(State.HEALTHY);
    assertThat(pods.creations()).isEqualTo(1);
  }

  @Test
  void containersThatDoNotSeeTheWorkspaceAreMadeAgainBeforeTheyRun() {
    // given
    pods.blind();
    prepare(Runs.run(1));
    awaitPrepared(1);

    // when
    teams.order(Runs.run(1));
    awaitState(State.HEALTHY);

    // then
    assertThat(pods.creations()).isEqualTo(2);
    assertThat(pods.isSetUp(POD)).isFalse();
    assertThat(pods.starts(POD, "web")).isEqualTo(1);
  }

  @Test
  void aRunThatNothingWasMadeOfAheadIsNotSetUpBesideItsMount() {
    // when
    up();

    // then
    assertThat(pods.isSetUp(POD)).isFalse();
  }

  @Test
  void whatNoRunFollowsGoesByItself() {
    // given
    teams = newTeams(QUICK.withUnused(Duration.ofMillis(50)));

    // when
    prepare(Runs.run(1));
    awaitPrepared(1);

    // then
    reporter.awaitGone(1);
    assertNothingIsLeft();
    assertThat(teams.present()).isEmpty();
  }

  @Test
  void aRunThatWasStoppedInOrderIsToldSavedBeforeWhatIsLeftIsRemoved() {
    // given
    up();
    pods.unremovable(true);

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 5_000));
    awaitState(State.STOPPED);

    // then
    assertThat(mounts.isMounted(PLACE)).isFalse();
    assertThat(pods.isRunning(POD, "web")).isFalse();
    assertThat(pods.exists(POD)).as("still to be removed").isTrue();
    assertThat(reporter.all()).noneMatch(FromAgent.TeamGone.class::isInstance);

    // when
    pods.unremovable(false);

    // then
    reporter.awaitGone(1);
    assertNothingIsLeft();
    assertThat(reporter.states()).endsWith(State.STOPPING, State.STOPPED);
  }

  @Test
  void aStopThatWaitsIsAnsweredAlsoWhenTheNextEpochTakesTheRestAway() {
    // given
    teams = newTeams(QUICK.withRemove(Duration.ofMinutes(5)));
    up();
    pods.unremovable(true);
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 5_000));
    awaitState(State.STOPPED);
    await().until(pods::wasUnremovable);
    pods.unremovable(false);

    // when
    teams.order(Runs.run(2));

    // then
    reporter.awaitGone(1);
    reporter.awaitReport(report -> report.epoch() == 2 && report.state() == State.HEALTHY);
  }

  @Test
  void savedIsNotSaidOfAMountThatDoesNotAnswer() {
    // given
    up();
    mounts.health(PLACE, Health.HUNG);

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 5_000));

    // then
    reporter.awaitGone(1);
    assertThat(reporter.states()).doesNotContain(State.STOPPED);
  }

  @Test
  void savedIsNotSaidOfContainersThatDoNotEnd() {
    // given
    up();
    pods.unkillable(true);

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 5_000));
    awaitState(State.STOPPING);
    mounts.health(PLACE, Health.HUNG);

    // then
    reporter.awaitGone(1);
    assertThat(reporter.states()).doesNotContain(State.STOPPED);
  }

  @Test
  void aPortThatAnotherProcessHoldsFailsTheRun() {
    // given
    free.set(false);

    // when
    teams.order(Runs.run(1));

    // then
    awaitFailure(RunFailure.PORT_IN_USE);
    assertNothingIsLeft();
  }

  @Test
  void aStopLeavesNothing() {
    // given
    up();

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 1_000));

    // then
    reporter.awaitGone(1);
    assertNothingIsLeft();
    assertThat(teams.present()).isEmpty();
  }

  @Test
  void aStopOfATeamThatIsNotHereIsDone() {
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 4, 0));

    reporter.awaitGone(4);
  }

  @Test
  void aStopOfAnOlderEpochLeavesTheNewerAlone() {
    // given
    teams.order(Runs.run(5));
    awaitState(State.HEALTHY);

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 4, 0));

    // then
    reporter.awaitGone(4);
    assertThat(pods.isRunning(new Pod("uid-1", 5), "web")).isTrue();
  }

  @Test
  void aLowerEpochIsRefused() {
    // given
    teams.order(Runs.run(5));
    awaitState(State.HEALTHY);

    // when
    teams.order(Runs.run(4));

    // then
    assertThat(awaitFailure(RunFailure.EPOCH_REFUSED).epoch()).isEqualTo(4);
    assertThat(pods.exists(new Pod("uid-1", 4))).isFalse();
    assertThat(pods.isRunning(new Pod("uid-1", 5), "web")).isTrue();
  }

  @Test
  void anEpochThatWasStoppedKeepsOlderOnesOutForEver() throws IOException {
    // given
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 4, 0));
    reporter.awaitGone(4);

    // when
    host =
        new Host(
            pods,
            networks,
            mounts,
            firewall,
            new Epochs(folder),
            new Capacity(),
            host.files(),
            host.ports());
    newTeams().order(Runs.run(3));

    // then
    awaitFailure(RunFailure.EPOCH_REFUSED);
  }

  @Test
  void aHigherEpochReplacesALowerOne() {
    // given
    up();

    // when
    teams.order(Runs.run(2));

    // then
    reporter.awaitReport(r -> r.epoch() == 2 && r.state() == State.HEALTHY);
    assertThat(pods.exists(POD)).isFalse();
    assertThat(mounts.isMounted(PLACE)).isFalse();
    assertThat(pods.isRunning(new Pod("uid-1", 2), "web")).isTrue();
  }

  @Test
  void theSameOrderAgainIsAnsweredWithThePresentState() {
    // given
    up();
    int before = reporter.all().size();

    // when
    teams.order(Runs.run(1));

    // then
    await().until(() -> reporter.all().size() == before + 1);
    assertThat(reporter.states().getLast()).isEqualTo(State.HEALTHY);
    assertThat(pods.starts(POD, "web")).isEqualTo(1);
  }

  @Test
  void aRefusedKeyEndsTheRunAtOnce() {
    // given
    mounts.serverSays(new Attach.Refused("no"));

    // when
    teams.order(Runs.run(1));

    // then
    awaitFailure(RunFailure.EPOCH_REFUSED);
    assertThat(mounts.attempts()).isEqualTo(1);
    assertNothingIsLeft();
  }

  @Test
  void anUnreachableFileServerIsTriedForABoundedTime() {
    // given
    mounts.serverSays(new Attach.Unreachable("down"));

    // when
    teams.order(Runs.run(1));

    // then
    awaitFailure(RunFailure.MOUNT_FAILED);
    assertThat(mounts.attempts()).isGreaterThan(1);
    assertNothingIsLeft();
  }

  @Test
  void aFailedRunIsTriedAgainWhenOrderedAgain() {
    // given
    mounts.serverSays(new Attach.Unreachable("down"));
    teams.order(Runs.run(1));
    awaitFailure(RunFailure.MOUNT_FAILED);

    // when
    mounts.serverSays(new Attach.Attached());
    teams.order(Runs.run(1));

    // then
    awaitState(State.HEALTHY);
  }

  @Test
  void aMissingImageIsPulled() {
    // given
    pods.offer("registry.example/other:2");

    // when
    teams.order(withImage("registry.example/other:2"));

    // then
    awaitState(State.HEALTHY);
  }

  @Test
  void anImageThatIsNowhereFailsTheRun() {
    // when
    teams.order(withImage("registry.example/other:2"));

    // then
    assertThat(awaitFailure(RunFailure.IMAGE_MISSING).message())
        .contains("registry.example/other:2");
    assertNothingIsLeft();
  }

  @Test
  void aStopInterruptsALongPull() {
    // given
    pods.pullForEver();
    teams.order(withImage("registry.example/huge:2"));
    awaitState(State.PREPARING);

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 0));

    // then
    reporter.awaitGone(1);
    assertNothingIsLeft();
    assertThat(reporter.states()).doesNotContain(State.FAILED);
  }

  @Test
  void aRunThatWaitsBehindAStopIsNotBegunWhenAnotherStopFollows() {
    // given
    up();
    pods.unkillable(true);
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 0));
    awaitState(State.STOPPING);
    pods.pullForEver();

    // when
    teams.order(withImage("registry.example/huge:2", 2));
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 2, 0));
    pods.unkillable(false);

    // then
    reporter.awaitGone(2);
    assertNothingIsLeft();
  }

  private static ToAgent.Run withImage(String image) {
    return withImage(image, 1);
  }

  private static ToAgent.Run withImage(String image, long epoch) {
    ToAgent.Container web = Runs.web();
    return Runs.of(
        epoch,
        List.of(
            new ToAgent.Container(
                "web", image, web.command(), web.args(), web.env(), 0, 0, "/work")),
        List.of(Runs.port(30_001)),
        new ToAgent.VmLimits(4, 0, 0));
  }

  @Test
  void whatWouldExceedTheVmIsRefused() {
    // given
    ToAgent.VmLimits one = new ToAgent.VmLimits(1, 0, 0);
    teams.order(Runs.ofTeam("uid-1", one));
    awaitState(State.HEALTHY);

    // when
    teams.order(Runs.ofTeam("uid-2", one));

    // then
    assertThat(awaitFailure(RunFailure.CAPACITY_EXCEEDED).teamUid()).isEqualTo("uid-2");

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "uid-1", 1, 0));
    reporter.awaitGone(1);
    teams.order(Runs.ofTeam("uid-2", one));

    // then
    reporter.awaitReport(r -> r.teamUid().equals("uid-2") && r.state() == State.HEALTHY);
  }

  @Test
  void aContainerThatEndsIsStartedAgainAndItsLastLinesAreReportedWithoutSecrets() {
    // given
    up();

    // when
    pods.exit(POD, "web", 3, "the password is hunter2\u001b[31m\n");
    teams.containerEnded(FakePods.id(POD, "web"));

    // then
    TeamReport ended =
        reporter.awaitReport(
            r ->
                r.state() == State.STARTING && RunFailure.CONTAINER_EXITED.name().equals(r.code()));
    assertThat(ended.containers().getFirst().exitCode()).isEqualTo(3);
    assertThat(ended.containers().getFirst().lastLines()).isEqualTo("the password is ***[31m");
    await().until(() -> pods.starts(POD, "web") == 2);
    reporter.awaitReport(
        r -> r.state() == State.HEALTHY && r.containers().getFirst().restarts() == 1);
  }

  @Test
  void notEvenAnErrorEndsTheCareForATeam() {
    // given
    up();

    // when
    pods.breakDown(1, new NoClassDefFoundError("a mistake of ours"));
    awaitFailure(RunFailure.INTERNAL);

    // then: what is left is taken away, and the next order is carried out
    assertNothingIsLeft();
    teams.order(Runs.run(2));
    reporter.awaitReport(r -> r.state() == State.HEALTHY && r.epoch() == 2);
  }

  @Test
  void aTeamThatNoThreadCouldBeHadForIsCaredForWhenItIsWokenAgain() {
    // given
    AtomicBoolean exhausted = new AtomicBoolean(true);
    Teams starved =
        new Teams(
            host,
            reporter,
            QUICK,
            task -> {
              if (exhausted.get()) {
                throw new OutOfMemoryError("unable to create native thread");
              }
              executor.execute(task);
            },
            timer);
    assertThatThrownBy(() -> starved.order(Runs.run(1))).isInstanceOf(OutOfMemoryError.class);

    // when
    exhausted.set(false);
    starved.order(Runs.run(1));

    // then
    awaitState(State.HEALTHY);
  }

  @Test
  void theEndOfAnotherTeamsContainerIsNoneOfItsBusiness() {
    // given
    up();
    pods.exit(POD, "web", 1, "");
    teams.containerEnded(FakePods.id(POD, "web"));
    await().until(() -> pods.starts(POD, "web") == 2);
    int before = reporter.all().size();

    // when
    teams.containerEnded("someone-else's");

    // then
    assertThat(reporter.all().size()).isGreaterThanOrEqualTo(before);
    assertThat(pods.isRunning(POD, "web")).isTrue();
  }

  @Test
  void aDeadMountWhoseEpochHoldsEndsTheRunForWhatItHadUnderWayMayStillArrive() {
    // given
    up();

    // when
    mounts.health(PLACE, Health.DEAD);

    // then
    reporter.awaitReport(
        r -> r.state() == State.ATTACHING && RunFailure.MOUNT_FAILED.name().equals(r.code()));
    awaitFailure(RunFailure.MOUNT_LOST);
    assertNothingIsLeft();

    // when its order comes again, as from a hub that has not heard of it
    int before = reporter.all().size();
    teams.order(Runs.run(1));

    // then it is mounted no second time, but the next epoch is
    await().until(() -> reporter.all().size() > before);
    assertThat(reporter.all().getLast())
        .isInstanceOfSatisfying(
            TeamReport.class,
            report -> assertThat(report.code()).isEqualTo(RunFailure.MOUNT_LOST.name()));
    assertThat(mounts.attempts()).isEqualTo(1);
    teams.order(Runs.run(2));
    reporter.awaitReport(r -> r.epoch() == 2 && r.state() == State.HEALTHY);
  }

  @Test
  void anEpochThatWasMountedBeforeARebootIsMountedNoSecondTime() {
    // given
    up();
    pods.exit(POD, "web", 137, "");
    Teams successor = newTeams();
    successor.adopt();
    assertNothingIsLeft();

    // when
    successor.order(Runs.run(1));

    // then
    awaitFailure(RunFailure.MOUNT_LOST);
    assertThat(mounts.attempts()).isEqualTo(1);
    assertNothingIsLeft();
    successor.order(Runs.run(2));
    reporter.awaitReport(r -> r.epoch() == 2 && r.state() == State.HEALTHY);
  }

  @Test
  void aDeadMountWhoseEpochIsRefusedEndsTheRunAtOnce() {
    // given
    up();

    // when
    mounts.serverSays(new Attach.Refused("fenced"));
    mounts.health(PLACE, Health.DEAD);

    // then
    awaitFailure(RunFailure.EPOCH_REFUSED);
    assertNothingIsLeft();
  }

  @Test
  void aDeadMountEndsTheRunOnlyAfterTheBoundWhenTheFileServerIsSilent() {
    // given
    up();
    long began = System.nanoTime();

    // when
    mounts.serverSays(new Attach.Unreachable("silence"));
    mounts.health(PLACE, Health.DEAD);

    // then
    awaitFailure(RunFailure.MOUNT_FAILED);
    assertThat(Duration.ofNanos(System.nanoTime() - began))
        .isGreaterThanOrEqualTo(QUICK.mountDead());
    assertNothingIsLeft();
  }

  @Test
  void aSlowMountIsLeftAlone() {
    // given
    up();
    int before = reporter.all().size();

    // when
    mounts.health(PLACE, Health.SLOW);

    // then
    await().pollDelay(Duration.ofMillis(200)).until(() -> true);
    assertThat(reporter.all()).hasSize(before);
    assertThat(pods.isRunning(POD, "web")).isTrue();
  }

  @Test
  void aMountThatComesBackWhileTheFileServerAnswersOthersIsNoFault() {
    // given
    teams = newTeams(QUICK.withMountDead(Duration.ofMinutes(5)));
    up();
    int before = reporter.all().size();

    // when
    mounts.health(PLACE, Health.HUNG);
    await().until(() -> mounts.logins() > 2);
    mounts.health(PLACE, Health.ALIVE);

    // then
    await().during(Duration.ofMillis(200)).until(() -> reporter.all().size() == before);
    assertThat(pods.isRunning(POD, "web")).isTrue();
  }

  @Test
  void aLoginThatFailsOnceDoesNotCondemnAMountThatHangs() {
    // given
    teams = newTeams(QUICK.withMountDead(Duration.ofMinutes(5)));
    up();
    int before = reporter.all().size();
    mounts.everySecondLoginFails();

    // when
    mounts.health(PLACE, Health.HUNG);

    // then
    await().until(() -> mounts.logins() > 6);
    assertThat(reporter.all()).hasSize(before);
  }

  @Test
  void aMountThatHangsForAsLongAsTheBoundEndsTheRunThoughTheFileServerAnswersOthers() {
    // given
    up();
    long began = System.nanoTime();

    // when
    mounts.health(PLACE, Health.HUNG);

    // then
    awaitFailure(RunFailure.MOUNT_LOST);
    assertThat(Duration.ofNanos(System.nanoTime() - began))
        .isGreaterThanOrEqualTo(QUICK.mountDead());
    assertNothingIsLeft();
  }

  @Test
  void aMountThatHangsWhileTheFileServerIsAwayIsLostWhenThatIsBack() {
    // given
    up();
    mounts.serverSays(new Attach.Unreachable("silence"));
    mounts.health(PLACE, Health.HUNG);
    reporter.awaitReport(
        r -> r.state() == State.ATTACHING && RunFailure.MOUNT_FAILED.name().equals(r.code()));

    // when
    mounts.serverSays(new Attach.Attached());

    // then
    awaitFailure(RunFailure.MOUNT_LOST);
    assertNothingIsLeft();
  }

  @Test
  void aFullWorkspaceIsReportedAndTheReportTakenBack() {
    // given
    up();

    // when
    mounts.health(PLACE, Health.FULL);

    // then
    reporter.awaitReport(
        r -> r.state() == State.HEALTHY && RunFailure.WORKSPACE_FULL.name().equals(r.code()));

    // when
    mounts.health(PLACE, Health.ALIVE);

    // then
    await().until(() -> ((TeamReport) reporter.all().getLast()).code() == null);
  }

  @Test
  void processesThatWaitForAHungMountAreFreedByAbortingIt() {
    // given
    up();
    mounts.health(PLACE, Health.HUNG);
    mounts.serverSays(new Attach.Unreachable("silence"));
    pods.unkillable(true);

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 0));

    // then
    reporter.awaitGone(1);
    assertThat(mounts.aborts()).isPositive();
    assertNothingIsLeft();
  }

  @Test
  void goneIsSaidOnlyWhenNothingIsLeft() {
    // given
    up();
    pods.unkillable(true);

    // when
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 0));

    // then
    awaitState(State.STOPPING);
    await().pollDelay(Duration.ofMillis(100)).until(() -> true);
    assertThat(reporter.all())
        .noneMatch(dev.crowdlab.protocol.FromAgent.TeamGone.class::isInstance);
    assertThat(teams.present()).hasSize(1);

    // when
    pods.unkillable(false);

    // then
    reporter.awaitGone(1);
  }

  @Test
  void anAgentThatStartsAgainAdoptsWhatRuns() {
    // given
    up();

    // when
    Teams successor = newTeams();
    successor.adopt();

    // then
    assertThat(successor.present()).extracting(TeamReport::state).containsExactly(State.HEALTHY);
    assertThat(pods.starts(POD, "web")).isEqualTo(1);

    // when
    successor.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 0));

    // then
    reporter.awaitGone(1);
    assertThat(pods.exists(POD)).isFalse();
  }

  @Test
  void anAgentThatCannotFindOutWhatRunsEndsNothing() {
    // given
    up();
    pods.silent(2);

    // when
    Teams patient = newTeams();
    patient.adopt();

    // then
    assertThat(patient.present()).extracting(TeamReport::state).containsExactly(State.HEALTHY);

    // when
    pods.silent(3);

    // then
    assertThatThrownBy(() -> newTeams().adopt()).isInstanceOf(IllegalStateException.class);
    assertThat(pods.starts(POD, "web")).isEqualTo(1);
    assertThat(pods.exists(POD)).isTrue();
  }

  @Test
  void anAgentWithoutRunsStartsWhereThereIsNoPodmanAnyMore() {
    // given
    pods.silent(3);

    // when
    Teams leaving = newTeams();
    leaving.adopt();

    // then
    assertThat(leaving.present()).isEmpty();
  }

  @Test
  void aRunThatIsOrderedAgainWhileItIsTakenAwayAsksForAnotherEpoch() {
    // given
    up();
    pods.unkillable(true);
    teams.order(new ToAgent.Stop("uid-1", "lab", "team-7", 1, 0));
    awaitState(State.STOPPING);

    // when
    teams.order(Runs.run(1));
    pods.unkillable(false);

    // then
    awaitFailure(RunFailure.MOUNT_LOST);
    assertNothingIsLeft();
  }

  @Test
  void anAgentThatStartsAgainRemovesWhatIsIncomplete() {
    // given
    up();
    pods.exit(POD, "web", 137, "");

    // when
    Teams successor = newTeams();
    successor.adopt();

    // then
    assertThat(successor.present()).isEmpty();
    assertNothingIsLeft();
  }

  @Test
  void badInputIsRefusedBeforeAnythingHappens() {
    // when
    teams.order(withImage("--privileged"));

    // then
    awaitFailure(RunFailure.CONTAINER_REFUSED);
    assertThat(mounts.attempts()).isZero();
  }

  @Test
  void sourcesThatChangedAreAppliedToWhatRuns() {
    // given
    up();
    ToAgent.Run run = Runs.run(1);

    // when
    teams.order(
        new ToAgent.Run(
            run.teamUid(),
            run.namespace(),
            run.name(),
            1,
            run.mount(),
            run.containers(),
            false,
            run.ports(),
            List.of("10.1.0.0/16"),
            null,
            run.limits()));

    // then
    await()
        .untilAsserted(
            () ->
                assertThat(firewall.openings().get("uid-1").sources())
                    .hasToString("[10.1.0.0/16]"));
  }
}
