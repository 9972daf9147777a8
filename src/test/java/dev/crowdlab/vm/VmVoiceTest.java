package dev.crowdlab.vm;

import static dev.crowdlab.core.Conditions.find;
import static dev.crowdlab.core.Conditions.hasReason;
import static dev.crowdlab.core.Conditions.holds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMSpec;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.SshSpec;
import dev.crowdlab.api.VmPhase;
import dev.crowdlab.api.Wish;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.protocol.FromAgent.Notice.Kind;
import dev.crowdlab.ssh.SshCredentials;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a contributor says on the machine, and what becomes of it. */
class VmVoiceTest {

  private final VmBench bench = new VmBench();

  // ---- pause

  @Test
  void aPauseOutlivesTheOperatorAndAnAgentThatHasNotSpokenYet() {
    bench.ready().says(Kind.PAUSE).pass();

    bench.agents.disconnect(bench.ref());
    bench.connect();
    bench.pass();

    assertThat(ready()).isEqualTo(Reason.CONTRIBUTOR_PAUSED.value());
    assertThat(bench.status().voice().wish()).isEqualTo(Wish.PAUSE);
  }

  @Test
  void aResumeThatWasMissedIsHeardAtTheNextSession() {
    bench.ready().says(Kind.PAUSE).pass();
    bench.agents.disconnect(bench.ref());

    bench.connect();
    bench.says(Kind.RESUME).pass();
    afterThePeriod();

    assertThat(ready()).isEqualTo(Reason.READY.value());
    assertThat(find(bench.status().conditions(), ConditionType.DRAINED)).isEmpty();
    assertThat(bench.events).anyMatch(event -> event.startsWith("NORMAL ContributorResumed"));
  }

  @Test
  void aMachineThatIsLentAgainMustStayAWhileBeforeItCarriesTeams() {
    bench.ready().says(Kind.PAUSE).pass();

    bench.says(Kind.RESUME).pass();
    assertThat(ready()).isEqualTo(Reason.STABILISING.value());

    bench.clock.advance(bench.settings.returning().stable().minusMillis(1));
    bench.pass();
    assertThat(ready()).isEqualTo(Reason.STABILISING.value());

    bench.clock.advance(Duration.ofMillis(1));
    bench.pass();
    assertThat(ready()).isEqualTo(Reason.READY.value());
  }

  @Test
  void aPauseIsToldOnce() {
    bench.ready().says(Kind.PAUSE).pass();
    bench.says(Kind.PAUSE).pass();

    assertThat(bench.events)
        .filteredOn(event -> event.startsWith("NORMAL ContributorPaused Its contributor"))
        .hasSize(1);
  }

  // ---- what a drain waits for

  @Test
  void aDrainNamesTheTeamsThatItWaitsForInOneOrder() {
    bench.teams.addAll(List.of(team("zebra", false), team("ant", false)));

    bench.ready().says(Kind.PAUSE).pass();

    assertThat(drained().getMessage()).isEqualTo("Waiting for ant, zebra to leave");
  }

  @Test
  void aDrainNamesNoMoreTeamsThanAPersonWouldRead() {
    IntStream.range(10, 25).forEach(i -> bench.teams.add(team("t" + i, false)));

    bench.ready().says(Kind.PAUSE).pass();

    assertThat(drained().getMessage()).endsWith("t18, t19 and 5 others to leave");
  }

  @Test
  void aDrainSkipsDeletedTeams() {
    bench.teams.addAll(List.of(team("ant", true), team("zebra", false)));
    bench.ready().says(Kind.PAUSE).pass();
    assertThat(drained().getMessage()).isEqualTo("Waiting for zebra to leave");

    bench.teams.removeLast();
    bench.pass();

    assertThat(drained().getStatus()).isEqualTo("True");
    assertThat(bench.status().teams()).containsExactly("ant");
  }

  // ---- stop

  @Test
  void anAgentThatWasStoppedInOrderIsNotStarted() {
    bench.ready().says(Kind.STOPPING).agents.agentDies(bench.ref());

    bench.pass();
    bench.pass();

    assertThat(bench.machine().calls()).containsExactly("probe", "configure");
    assertThat(bench.events).noneMatch(event -> event.contains("restarting"));
    assertThat(bench.status().reputation().agentFaults()).as("no fault").isNull();
    assertThat(bench.status().reputation().faults()).isEmpty();
  }

  @Test
  void norByANewOperatorThatNobodyTold() {
    bench.ready().machine().agentStopped(true);
    bench.agents.agentDies(bench.ref());
    int starts = bench.machine().agentStarts();

    bench.pass();

    assertThat(bench.machine().agentStarts()).isEqualTo(starts);
    assertThat(ready()).isEqualTo(Reason.STOPPED.value());
    assertThat(bench.status().phase()).isEqualTo(VmPhase.STOPPED);
    assertThat(bench.events).noneMatch(event -> event.contains("restarting"));
  }

  @Test
  void norBecauseTheOperatorBringsAnotherAgent() {
    bench.ready().says(Kind.STOPPING).agents.agentDies(bench.ref());
    bench.machine().agentStopped(true);
    bench.pass();
    int starts = bench.machine().agentStarts();

    bench.enrolment.forgetAll();
    bench.vm = VmObserver.withStatus(bench.vm, bench.status().toBuilder().inputs("old").build());
    bench.pass();

    assertThat(bench.machine().calls())
        .containsExactly("probe", "configure", "probe", "configure", "configure");
    assertThat(bench.machine().agentStarts()).isEqualTo(starts);
    assertThat(ready()).isEqualTo(Reason.STOPPED.value());
  }

  // ---- stopped, and not to stay so

  @Test
  void aReinstalledMachineWhoseNewKeyAPersonApprovesIsIntegratedAnew() {
    stoppedThenReinstalled().hostKey(FakeVmAccess.OTHER_ED25519);
    longAfterTheStop();
    assertThat(ready()).isEqualTo(Reason.HOST_KEY_CHANGED.value());
    int logins = bench.machine().logins();
    longAfterTheStop();
    assertThat(bench.machine().logins()).as("a changed key is not tried again").isEqualTo(logins);

    pin(FakeVmAccess.OTHER_ED25519.fingerprint());
    bench.pass();

    comesBack();
  }

  @Test
  void aWipedMachineIsIntegratedAnew() {
    stoppedThenReinstalled();

    longAfterTheStop();
    longAfterTheStop();

    comesBack();
  }

  @Test
  void norDoesAnOperatorsRestartForgetIt() {
    stoppedThenReinstalled();
    longAfterTheStop();
    bench.agents.forget(bench.ref());

    longAfterTheStop();

    comesBack();
  }

  @Test
  void aStoppedMachineThatAnotherReplacesIsLookedForThere() {
    bench.ready().says(Kind.STOPPING).agents.lose(bench.ref());
    bench.pass();
    FakeVmAccess.Machine other = bench.access.machine("replacement.example.org");
    other.reachable(false);
    SshSpec ssh = bench.vm.getSpec().ssh();
    ssh(
        new SshSpec(
            "replacement.example.org",
            ssh.port(),
            ssh.user(),
            ssh.sudo(),
            ssh.hostKey(),
            ssh.credentialsSecretRef()));

    bench.pass();
    assertThat(other.logins()).isEqualTo(1);
    other.reachable(true);
    bench.clock.advance(bench.settings.longestBackoff());
    bench.pass();

    assertThat(other.configuration()).isNotNull();
    comesBack();
  }

  @Test
  void aStoppedMachineWhoseSecretIsCorrectedIsTriedAtOnce() {
    bench.ready().says(Kind.STOPPING).agents.agentDies(bench.ref());
    bench.machine().agentStopped(true).accepts(SshCredentials.password("another"));
    bench.pass();
    longAfterTheStop();
    assertThat(ready()).isEqualTo(Reason.AUTHENTICATION_FAILED.value());

    bench.machine().accepts(null);
    bench.secret =
        Optional.of(
            new SecretBuilder(VmBench.SECRET)
                .editMetadata()
                .withResourceVersion("2")
                .endMetadata()
                .build());
    bench.pass();

    assertThat(ready()).isEqualTo(Reason.STOPPED.value());
    assertThat(holds(bench.status().conditions(), ConditionType.REACHABLE)).isTrue();
  }

  private FakeVmAccess.Machine stoppedThenReinstalled() {
    bench.ready().says(Kind.STOPPING).agents.agentDies(bench.ref());
    bench.pass();
    return bench.machine().reinstalled();
  }

  private void longAfterTheStop() {
    bench.clock.advance(bench.settings.longestBackoff());
    bench.pass();
  }

  private void comesBack() {
    bench.connect();
    bench.says(Kind.RESUME).pass();
    afterThePeriod();
    assertThat(bench.status().voice()).isNull();
    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
  }

  private void pin(String hostKey) {
    SshSpec ssh = bench.vm.getSpec().ssh();
    ssh(
        new SshSpec(
            ssh.host(), ssh.port(), ssh.user(), ssh.sudo(), hostKey, ssh.credentialsSecretRef()));
  }

  private void ssh(SshSpec ssh) {
    bench.spec(
        spec ->
            new ContributedVMSpec(
                spec.contributor(),
                ssh,
                spec.capacity(),
                spec.schedulable(),
                spec.drain(),
                spec.integrity(),
                spec.availability()));
  }

  @Test
  void anAgentThatFailedAfterAnOrderlyStopIsLookedForNowAndThen() {
    bench.ready().says(Kind.STOPPING).agents.agentDies(bench.ref());
    bench.pass();
    int starts = bench.machine().agentStarts();

    bench.clock.advance(bench.settings.enrolBound().plusSeconds(1));
    bench.pass();
    bench.pass();

    assertThat(bench.machine().calls()).containsExactly("probe", "configure", "restartAgent");
    assertThat(bench.machine().agentStarts()).isEqualTo(starts + 1);
  }

  @Test
  void aMachineThatIsBackAfterAnOrderlyStopMustStayAWhileAndIsAsItWas() {
    bench.ready().says(Kind.STOPPING).agents.lose(bench.ref());
    bench.pass();
    assertThat(hasReason(bench.status().conditions(), ConditionType.REACHABLE, Reason.STOPPED))
        .isTrue();

    bench.connect();
    bench.says(Kind.RESUME).pass();
    assertThat(ready()).isEqualTo(Reason.STABILISING.value());

    afterThePeriod();
    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
    assertThat(holds(bench.status().conditions(), ConditionType.REACHABLE)).isTrue();
    assertThat(bench.status().reputation().losses()).as("no fault").isNull();
    assertThat(bench.machine().calls()).containsExactly("probe", "configure");
  }

  // ---- leave

  @Test
  void aMachineThatLeavesIsDrainedThenCleanedAndItsTokenRevoked() {
    bench.teams.add(team("ant", false));
    bench.ready().says(Kind.LEAVE).pass();

    assertThat(bench.leave()).isPresent();
    assertThat(bench.machine().calls()).doesNotContain("uninstall");

    bench.teams.clear();
    bench.pass();
    assertThat(bench.leave()).isEmpty();

    assertThat(bench.machine().configuration()).isNull();
    assertThat(bench.enrolment.revoked).containsExactly(bench.ref());
    assertThat(bench.status().address()).isNull();
    assertThat(bench.events).anyMatch(event -> event.startsWith("NORMAL Left The machine is as"));
  }

  @Test
  void aTeamThatFindsNoOtherMachineIsNotWaitedForLongerThanTheBound() {
    bench.teams.add(team("ant", false));
    bench.ready().says(Kind.LEAVE).pass();
    assertThat(bench.leave()).isPresent();

    bench.clock.advance(bench.settings.drainBound());

    assertThat(bench.leave()).isEmpty();
    assertThat(bench.status().phase()).isEqualTo(VmPhase.LEFT);
  }

  @Test
  void aTeamThatIsStillThereIsLostWithTheMachineFromTheBeginningOfItsCleanUpOn() {
    bench.ready().says(Kind.LEAVE).pass();
    assertThat(dev.crowdlab.team.VmView.of(bench.vm).left()).isFalse();
    bench
        .machine()
        .failNext(
            "uninstall",
            new Failure(Failure.Kind.TRANSIENT, Reason.CONFIGURATION_FAILED, "half way"));

    assertThat(bench.leave()).isPresent();
    bench.pass();

    assertThat(dev.crowdlab.team.VmView.of(bench.vm).left()).isTrue();
  }

  @Test
  void aMachineThatLeftIsNotTouchedWhateverItsSpecAndItsAgentSay() {
    bench.ready().says(Kind.LEAVE).pass();
    bench.leave();
    int logins = bench.machine().logins();

    bench.spec(spec -> spec).annotate(Names.REJOIN, "another").pass();
    bench.connect();
    bench.says(Kind.RESUME).pass();
    bench.clock.advance(Duration.ofDays(1));
    bench.pass();

    assertThat(bench.leave()).isEmpty();
    assertThat(bench.machine().logins()).isEqualTo(logins);
    assertThat(ready()).isEqualTo(Reason.LEFT.value());
  }

  @Test
  void aMachineThatLeftIsTakenInAgainByTheAnnotationThatNamesItsLeaving() {
    bench.ready().says(Kind.LEAVE).pass();
    bench.leave();

    bench.annotate(Names.REJOIN, bench.status().voice().id()).pass();
    bench.connect();
    bench.says(Kind.RESUME).pass();

    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
    assertThat(bench.status().voice()).isNull();
    assertThat(bench.enrolment.issued()).isEqualTo(2);

    // Kept in Git, it answers only once.
    bench.clock.advance(Duration.ofMinutes(1));
    bench.says(Kind.LEAVE).pass();
    bench.leave();
    bench.pass();
    assertThat(ready()).isEqualTo(Reason.LEFT.value());
  }

  @Test
  void aContributorWhoStaysAfterAllGetsTheMachineIntegratedAnew() {
    bench.ready().says(Kind.LEAVE).pass();
    bench
        .machine()
        .failNext(
            "uninstall",
            new Failure(Failure.Kind.TRANSIENT, Reason.CONFIGURATION_FAILED, "half way"));
    assertThat(bench.leave()).isPresent();

    bench.says(Kind.RESUME).pass();

    assertThat(bench.machine().calls())
        .containsExactly("probe", "configure", "uninstall", "probe", "configure");
    afterThePeriod();
    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
  }

  @Test
  void aMachineThatCannotBeCleanedStaysLeavingAndIsTriedAgainNowAndThen() {
    bench.ready().says(Kind.LEAVE).pass();
    bench.machine().reachable(false);
    bench.agents.lose(bench.ref());
    assertThat(bench.leave()).isPresent();

    bench.clock.advance(bench.settings.cleanupBound());
    assertThat(bench.leave()).isPresent();
    int logins = bench.machine().logins();
    assertThat(bench.leave()).isPresent();

    bench.pass();
    assertThat(bench.machine().logins()).as("logins at once").isEqualTo(logins);
    assertThat(ready()).isEqualTo(Reason.LEAVING.value());
    assertThat(bench.status().address()).as("a deletion tries too").isNotNull();
    assertThat(bench.enrolment.revoked).isEmpty();
    assertThat(dev.crowdlab.team.VmView.of(bench.vm).left()).as("teams may go").isTrue();

    bench.clock.advance(bench.settings.longestBackoff());
    assertThat(bench.leave()).isPresent();
    assertThat(bench.machine().logins()).isGreaterThan(logins);
    assertThat(bench.events)
        .filteredOn(event -> event.startsWith("WARNING CleanupAbandoned"))
        .hasSize(1);
  }

  @Test
  void aMachineThatLeftInItsOwnersHandsIsCleanedAsSoonAsItsAgentIsBack() {
    bench.ready().says(Kind.LEAVE).pass();
    bench.machine().reachable(false);
    bench.agents.lose(bench.ref());
    bench.leave();
    bench.clock.advance(bench.settings.cleanupBound());
    bench.leave();

    bench.clock.advance(Duration.ofSeconds(10));
    bench.machine().reachable(true);
    bench.connect();
    bench.says(Kind.LEAVE).pass();

    assertThat(bench.leave()).isEmpty();
    assertThat(bench.machine().configuration()).isNull();
    assertThat(ready()).isEqualTo(Reason.LEFT.value());
    assertThat(bench.enrolment.revoked).containsExactly(bench.ref());
  }

  @Test
  void norIsItsObjectDeletedWithoutAnotherAttempt() {
    bench.ready().says(Kind.LEAVE).pass();
    bench.machine().reachable(false);
    bench.agents.lose(bench.ref());
    bench.leave();
    bench.clock.advance(bench.settings.cleanupBound());
    bench.leave();

    bench.machine().reachable(true);
    bench.vm.getMetadata().setDeletionTimestamp(bench.clock.instant().toString());

    assertThat(bench.cleanup()).isEmpty();
    assertThat(bench.machine().configuration()).isNull();
  }

  @Test
  void aMachineThatIsAnothersHasNotLeft() {
    bench.ready().says(Kind.LEAVE).pass();
    bench.others.add(VmBench.vm("older", "uid-0", "2025-01-01T00:00:00Z"));

    assertThat(bench.leave()).isPresent();

    assertThat(bench.status().voice().hasLeft()).isFalse();
    assertThat(bench.machine().calls()).doesNotContain("uninstall");
  }

  @Test
  void aCrashOnceTheMachineIsCleanAsksNobodyAgain() {
    bench.ready().secret = Optional.empty();
    bench.says(Kind.LEAVE).pass();
    bench.crash =
        (step, _) -> {
          if (step.equals("vm.forgotten")) {
            throw new IllegalStateException("crash");
          }
        };
    assertThatThrownBy(bench::leave).hasMessage("crash");
    bench.crash = StepListener.NONE;

    assertThat(bench.operatorRestarts().leave()).isEmpty();
    assertThat(bench.status().voice().hasLeft()).isTrue();
  }

  @Test
  void aMachineThatLeavesOrLeftHasNoFaultWhenItFallsSilent() {
    bench.ready().says(Kind.LEAVE).pass();
    bench.says(Kind.STOPPING).agents.lose(bench.ref());
    bench.pass();
    assertThat(bench.status().reputation().losses()).isNull();
    assertThat(bench.status().reputation().faults()).isEmpty();

    bench.leave();
    bench.pass();
    assertThat(ready()).isEqualTo(Reason.LEFT.value());
    assertThat(bench.status().reputation().faults()).isEmpty();
  }

  @Test
  void aMachineThatIsTakenInAgainIsMeasuredFromTheBeginning() {
    bench.ready().says(Kind.LEAVE).pass();
    bench.leave();
    assertThat(bench.judge.forgotten).isEqualTo(1);

    bench.judge.forgotten = 0;
    bench.secret = Optional.empty();
    bench.annotate(Names.REJOIN, bench.status().voice().id()).pass();

    assertThat(bench.judge.forgotten).isEqualTo(1);
    assertThat(bench.status().integrity()).isNull();
  }

  @Test
  void aMachineThatLeftDoesNotStandInTheWayOfItsSuccessor() {
    bench.ready().says(Kind.LEAVE).pass();
    bench.leave();
    ContributedVM left = bench.vm;

    VmBench next = new VmBench();
    next.vm = VmBench.vm("alice-2", "uid-2", "2026-02-01T00:00:00Z");
    next.others.add(left);
    next.ready();

    assertThat(holds(next.status().conditions(), ConditionType.READY)).isTrue();
    assertThat(Twins.sharesMachineId(next.vm, next.others)).isFalse();
  }

  // ---- how long a release waits

  @Test
  void anOperatorThatComesAfterTheBoundGivesTeamsTheirTimeAllTheSame() {
    bench.teams.add(team("ant", false));
    bench.ready().says(Kind.LEAVE).pass();
    bench.clock.advance(bench.settings.cleanupBound().multipliedBy(2));

    assertThat(bench.operatorRestarts().leave()).isPresent();
    bench.clock.advance(bench.settings.drainBound().minusMillis(1));
    assertThat(bench.leave()).isPresent();
    assertThat(bench.machine().calls()).doesNotContain("uninstall");

    bench.clock.advance(Duration.ofMillis(1));
    assertThat(bench.leave()).isEmpty();
  }

  @Test
  void norDoesADeletionThatNobodySawCostTeamsTheirTime() {
    bench.teams.add(team("ant", false));
    bench.ready().vm.getMetadata().setDeletionTimestamp("2026-06-01T10:00:00Z");
    bench.clock.advance(bench.settings.cleanupBound().multipliedBy(2));

    assertThat(bench.operatorRestarts().cleanup()).isPresent();
    assertThat(bench.machine().calls()).doesNotContain("uninstall");

    bench.clock.advance(bench.settings.drainBound());
    assertThat(bench.cleanup()).isEmpty();
    assertThat(bench.machine().configuration()).isNull();
  }

  @Test
  void aTeamThatIsDeletedLateHasItsTimeToStop() {
    bench.teams.add(team("ant", false));
    bench.ready().says(Kind.LEAVE).pass();
    assertThat(bench.leave()).isPresent();
    bench.clock.advance(bench.settings.drainBound().minusSeconds(1));
    bench.teams.set(0, team("ant", true));
    assertThat(bench.leave()).isPresent();

    bench.clock.advance(Duration.ofSeconds(19));
    assertThat(bench.leave()).isPresent();
    assertThat(bench.machine().calls()).doesNotContain("uninstall");

    bench.clock.advance(Duration.ofSeconds(1));
    assertThat(bench.leave()).isEmpty();
  }

  // ---- while our hands are stopped

  @Test
  void aContributorIsHeardWhileOurHandsAreStoppedAndObeyedAfterwards() {
    bench.ready().annotate(Names.PAUSED, "true").says(Kind.LEAVE).pass();
    assertThat(bench.leave()).isEmpty();
    assertThat(bench.status().voice().wish()).isEqualTo(Wish.LEAVE);
    assertThat(ready()).isEqualTo(Reason.PAUSED.value());
    assertThat(bench.machine().calls()).doesNotContain("uninstall");

    bench.annotate(Names.PAUSED, null).pass();

    assertThat(bench.leave()).isEmpty();
    assertThat(bench.status().voice().hasLeft()).isTrue();
  }

  @Test
  void theObjectOfAMachineThatLeftGoesAtOnce() {
    bench.ready().says(Kind.LEAVE).pass();
    bench.leave();
    int logins = bench.machine().logins();

    bench.vm.getMetadata().setDeletionTimestamp("2026-06-01T10:00:00Z");

    assertThat(bench.cleanup()).isEmpty();
    assertThat(bench.machine().logins()).isEqualTo(logins);
  }

  private void afterThePeriod() {
    bench.clock.advance(bench.settings.returning().stable());
    bench.pass();
  }

  private String ready() {
    return find(bench.status().conditions(), ConditionType.READY)
        .map(Condition::getReason)
        .orElseThrow();
  }

  private Condition drained() {
    return find(bench.status().conditions(), ConditionType.DRAINED).orElseThrow();
  }

  private LabTeam team(String name, boolean deleted) {
    LabTeam team = new LabTeam();
    team.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace("lab")
            .withName(name)
            .withUid("uid-" + name)
            .withDeletionTimestamp(deleted ? "2026-06-01T09:59:59Z" : null)
            .build());
    team.setStatus(
        LabTeamStatus.EMPTY.toBuilder()
            .binding(
                new Binding(
                    "alice-1", bench.ref().uid(), 1, null, "10.77.1.2", 20_000, 1L, "digest"))
            .build());
    return team;
  }
}
