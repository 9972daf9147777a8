package dev.crowdlab.vm;

import static dev.crowdlab.core.Conditions.hasReason;
import static dev.crowdlab.core.Conditions.holds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMSpec;
import dev.crowdlab.api.Documents;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.SshSpec;
import dev.crowdlab.api.VmPhase;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.hub.LoginCheck;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.hub.VmHealth.VmFault;
import dev.crowdlab.protocol.FromAgent.DiskState;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.ssh.SshCredentials;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class VmLifecycleTest {

  private static final List<String> STEPS =
      List.of(
          "vm.connected",
          "vm.verified",
          "vm.admitted",
          "vm.configured",
          "vm.enrolled",
          "vm.drained",
          "vm.cleaned",
          "vm.released",
          "vm.forgotten");

  private final VmBench bench = new VmBench();

  @Test
  void aNewMachineIsVerifiedConfiguredAndReadyWhenItsAgentConnects() {
    bench.ready();

    assertThat(bench.machine().calls()).containsExactly("probe", "configure");
    assertThat(bench.status().agent().version()).isEqualTo(FakeVmAccess.AGENT_VERSION);
    assertThat(bench.status().address()).isEqualTo("10.77.1.2");
    assertThat(bench.status().timings()).hasSize(4);
    assertThat(bench.events).anyMatch(event -> event.startsWith("NORMAL Ready"));
  }

  @Test
  void anotherPassOverAReadyMachineTouchesNothing() {
    bench.ready();
    int writes = bench.written.size();

    bench.pass();

    assertThat(bench.machine().calls()).containsExactly("probe", "configure");
    assertThat(bench.written).hasSize(writes);
  }

  @Test
  void anUnapprovedHostKeyIsShownAndNothingIsTriedAgainUntilThatVeryKeyIsApproved() {
    pin(null);
    bench.pass();
    assertThat(bench.status().hostKey()).isEqualTo(FakeVmAccess.ED25519.fingerprint());

    bench.clock.advance(Duration.ofHours(1));
    bench.annotate(Names.APPROVE_HOST_KEY, FakeVmAccess.OTHER_ED25519.fingerprint()).pass();
    assertThat(holds(bench.status().conditions(), ConditionType.REACHABLE)).isFalse();
    assertThat(bench.status().approvedHostKey()).isNull();

    bench.annotate(Names.APPROVE_HOST_KEY, FakeVmAccess.ED25519.fingerprint()).pass();

    assertThat(holds(bench.status().conditions(), ConditionType.CONFIGURED)).isTrue();
    assertThat(bench.machine().calls()).containsExactly("probe", "configure");
  }

  @Test
  void aFullDiskIsToldOnceAndSoIsItsEnd() {
    bench.ready();
    bench.events.clear();
    bench.agents.disk(bench.ref(), DiskState.FULL);
    bench.pass();
    bench.pass();
    assertThat(bench.events).singleElement().asString().startsWith("WARNING DiskFull ");

    bench.agents.disk(bench.ref(), DiskState.READ_ONLY);
    bench.pass();
    bench.agents.disk(bench.ref(), DiskState.WRITABLE);
    bench.pass();

    assertThat(bench.events)
        .extracting(event -> event.substring(0, event.indexOf(' ', event.indexOf(' ') + 1)))
        .containsExactly("WARNING DiskFull", "WARNING DiskReadOnly", "NORMAL Ready");
    assertThat(bench.machine().calls()).containsExactly("probe", "configure");
  }

  @Test
  void anOperatorThatStartsAnewLearnsOfTheDiskFromTheNextSession() {
    bench.ready();
    bench.agents.disk(bench.ref(), DiskState.FULL);
    bench.pass();
    bench.operatorRestarts();
    bench.connect();
    bench.pass();
    assertThat(hasReason(bench.status().conditions(), ConditionType.READY, Reason.DISK_FULL))
        .as("until somebody says otherwise")
        .isTrue();

    bench.agents.disk(bench.ref(), DiskState.WRITABLE);
    bench.pass();

    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
  }

  @Test
  void aMachineWithAFullDiskCanBeDrained() {
    bench.teams.add(DocumentedVmStatesTest.team(bench));
    bench.ready();
    bench.agents.disk(bench.ref(), DiskState.FULL);
    bench.spec(spec -> drain(spec)).pass();
    assertThat(bench.status().phase()).isEqualTo(VmPhase.DRAINING);
    assertThat(hasReason(bench.status().conditions(), ConditionType.READY, Reason.DISK_FULL))
        .isTrue();

    bench.teams.clear();
    bench.pass();

    assertThat(bench.status().phase()).isEqualTo(VmPhase.DRAINED);
    assertThat(hasReason(bench.status().conditions(), ConditionType.READY, Reason.DISK_FULL))
        .isTrue();
  }

  @Test
  void aChangedHostKeyIsNotRetriedBlindly() {
    bench.ready();
    bench.machine().hostKey(FakeVmAccess.OTHER_ED25519);
    bench.clock.advance(Duration.ofHours(2));
    bench.pass();
    assertThat(
            hasReason(
                bench.status().conditions(), ConditionType.REACHABLE, Reason.HOST_KEY_CHANGED))
        .isTrue();
    int logins = bench.machine().logins();

    bench.clock.advance(Duration.ofHours(2));
    bench.pass();
    bench.agents.agentDies(bench.ref());
    bench.pass();

    assertThat(bench.status().backoff()).isNull();
    assertThat(bench.machine().logins()).isEqualTo(logins);

    bench.connect();
    pin(FakeVmAccess.OTHER_ED25519.fingerprint());
    bench.pass();
    bench.pass();
    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
  }

  @Test
  void anAddressIsTheMachinesOnlyOnceTheMachineWasFoundThere() {
    bench.ready();
    String found = bench.status().address();
    bench.machine().address("10.77.9.9").hostKey(FakeVmAccess.OTHER_ED25519);

    bench.clock.advance(Duration.ofHours(2));
    bench.pass();

    assertThat(bench.status().address()).isEqualTo(found);
    assertThat(bench.agents.watched(bench.ref()).orElseThrow().getAddress().getHostAddress())
        .isEqualTo(found);

    pin(FakeVmAccess.OTHER_ED25519.fingerprint());
    bench.pass();

    assertThat(bench.status().address()).isEqualTo("10.77.9.9");
  }

  @Test
  void aMachineThatNobodyEverLoggedInToGoesAtOnce() {
    pin(FakeVmAccess.OTHER_ED25519.fingerprint());
    bench.pass();

    delete();

    assertThat(bench.cleanup()).isEmpty();
    assertThat(bench.events).noneMatch(event -> event.contains("CleanupAbandoned"));
  }

  @Test
  void aCorrectedSecretIsTriedAtOnce() {
    bench.machine().accepts(SshCredentials.password("right"));
    bench.pass();
    assertThat(
            hasReason(
                bench.status().conditions(), ConditionType.REACHABLE, Reason.AUTHENTICATION_FAILED))
        .isTrue();

    bench.secret =
        Optional.of(
            new SecretBuilder(VmBench.SECRET)
                .editMetadata()
                .withResourceVersion("2")
                .endMetadata()
                .addToData("password", "cmlnaHQ=")
                .build());
    bench.pass();

    assertThat(holds(bench.status().conditions(), ConditionType.CONFIGURED)).isTrue();
  }

  @Test
  void aRefusalEndsWhenWhatWasCorrectedIsTried() {
    bench.machine().accepts(SshCredentials.password("another"));
    bench.pass();
    assertThat(holds(bench.status().conditions(), ConditionType.STALLED)).isTrue();
    bench.written.clear();

    bench.machine().reachable(false);
    edit();
    bench.pass();

    assertThat(bench.written.getFirst().observedGeneration()).isEqualTo(2L);
    assertThat(bench.written)
        .as("who waits for the edited object must not be told of the old one's failure")
        .noneMatch(status -> holds(status.conditions(), ConditionType.STALLED))
        .allMatch(status -> holds(status.conditions(), ConditionType.RECONCILING));
  }

  @Test
  void anAddressThatMayBeDialledNowIsDialledWithinSecondsWithoutAnEdit() {
    bench.machine().notAllowed(true);
    bench.pass();
    int writes = bench.written.size();
    List<Condition> before = bench.status().conditions();

    for (int i = 0; i < 20; i++) {
      Duration again = bench.pass();
      assertThat(again).isLessThanOrEqualTo(Duration.ofSeconds(3));
      bench.clock.advance(again);
    }

    assertThat(bench.machine().lookups()).isEqualTo(21);
    assertThat(bench.machine().logins()).isZero();
    assertThat(bench.written).as("what changes nothing is not written").hasSize(writes);
    assertThat(bench.status().conditions()).isEqualTo(before);
    assertThat(bench.events).filteredOn(e -> e.contains("AddressNotAllowed")).hasSize(1);

    bench.machine().notAllowed(false);
    bench.pass();
    assertThat(holds(bench.status().conditions(), ConditionType.CONFIGURED)).isTrue();
  }

  @Test
  void anAddressThatMayBeDialledNowIsDialledByTheBackoffWhenNobodyAnswersThere() {
    bench.ready();
    bench.machine().notAllowed(true);
    bench.clock.advance(Duration.ofHours(2));
    bench.pass();
    assertRefused(Reason.ADDRESS_NOT_ALLOWED);

    bench.machine().notAllowed(false).reachable(false);
    int logins = bench.machine().logins();
    for (int i = 0; i < 10; i++) {
      bench.pass();
    }

    assertRefused(Reason.UNREACHABLE);
    assertThat(bench.machine().logins()).isEqualTo(logins + 1);
  }

  @Test
  void aKeyThatWasAddedOnTheMachineIsFoundOutSlowlyAndWithoutAnEdit() {
    bench.machine().accepts(SshCredentials.password("another"));

    healsSlowly(Reason.AUTHENTICATION_FAILED, () -> bench.machine().accepts(null));
  }

  @Test
  void rightsThatWereGivenOnTheMachineAreFoundOutSlowlyAndWithoutAnEdit() {
    bench.machine().refusesSudo(true);

    healsSlowly(Reason.SUDO_REFUSED, () -> bench.machine().refusesSudo(false));
  }

  /** The bench's machine refuses us, and is mended where nobody tells. */
  private void healsSlowly(Reason reason, Runnable mend) {
    bench.pass();
    assertRefused(reason);
    List<Condition> before = bench.status().conditions();

    // Passes that other events cause, in the course of an hour.
    for (int i = 0; i < 360; i++) {
      bench.pass();
      bench.clock.advance(Duration.ofSeconds(10));
    }

    assertThat(bench.machine().logins()).isBetween(10, 13);
    assertThat(bench.status().conditions()).isEqualTo(before);
    assertThat(bench.events).filteredOn(e -> e.contains(reason.value())).hasSize(1);

    mend.run();
    bench.clock.advance(Duration.ofMinutes(6).plusMillis(1));
    bench.pass();
    assertThat(holds(bench.status().conditions(), ConditionType.CONFIGURED)).isTrue();
    bench.connect();
    bench.pass();
    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
  }

  @Test
  void aMachineThatWorksAndRefusesALoginIsNotLoggedInToAllTheTime() {
    bench.ready();
    bench.machine().accepts(SshCredentials.password("another"));
    bench.clock.advance(Duration.ofHours(2));
    bench.pass();
    assertRefused(Reason.AUTHENTICATION_FAILED);
    int logins = bench.machine().logins();

    for (int i = 0; i < 10; i++) {
      bench.clock.advance(Duration.ofSeconds(10));
      bench.pass();
    }
    bench.agents.lose(bench.ref(), VmFault.HUNG);
    bench.clock.advance(Duration.ofMinutes(10));
    bench.pass();

    assertThat(bench.machine().logins()).isEqualTo(logins);
  }

  @Test
  void thatTheUserIsNotRootOnlyTheSpecMends() {
    bench.machine().failNext("configure", refused(Reason.SUDO_REFUSED));
    edit();
    bench.pass();
    assertRefused(Reason.SUDO_REFUSED);
    int logins = bench.machine().logins();

    bench.clock.advance(Duration.ofHours(1));
    bench.pass();

    assertThat(bench.machine().logins()).isEqualTo(logins);
  }

  private static Failure refused(Reason reason) {
    return new Failure(Failure.Kind.TERMINAL, reason, "It was refused");
  }

  private void assertRefused(Reason reason) {
    assertThat(hasReason(bench.status().conditions(), ConditionType.REACHABLE, reason)).isTrue();
  }

  @Test
  void anUnreachableMachineIsTriedAgainLaterAndLater() {
    bench.machine().reachable(false);
    bench.pass();
    assertThat(bench.status().backoff().attempts()).isEqualTo(1);

    Duration again = bench.pass();
    assertThat(bench.status().backoff().attempts()).isEqualTo(1);
    assertThat(again).isLessThanOrEqualTo(Duration.ofSeconds(3));

    bench.clock.advance(Duration.ofSeconds(3));
    bench.pass();
    assertThat(bench.status().backoff().attempts()).isEqualTo(2);

    bench.machine().reachable(true);
    bench.clock.advance(Duration.ofSeconds(10));
    bench.pass();
    assertThat(holds(bench.status().conditions(), ConditionType.CONFIGURED)).isTrue();
    assertThat(bench.status().backoff().attempts()).as("of the agent's start").isEqualTo(1);
    bench.connect();
    bench.pass();
    assertThat(bench.status().backoff()).isNull();
  }

  @Test
  void aDeadAgentIsRestartedAndNothingElseIsTouched() {
    bench.ready();
    int starts = bench.machine().agentStarts();

    bench.agents.agentDies(bench.ref());
    bench.pass();

    assertThat(bench.machine().calls()).containsExactly("probe", "configure", "restartAgent");
    assertThat(bench.machine().agentStarts()).isEqualTo(starts + 1);
    bench.connect();
    bench.pass();
    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
    assertThat(bench.status().backoff()).isNull();
  }

  @Test
  void anAgentThatKeepsDyingIsNotRestartedAllTheTime() {
    bench.ready();
    bench.agents.agentDies(bench.ref());

    bench.pass();
    bench.pass();
    bench.pass();

    assertThat(bench.machine().calls()).containsOnlyOnce("restartAgent");
  }

  @Test
  void anAgentThatWasRestartedHasTimeToConnectBeforeItIsRestartedAgain() {
    bench.ready();
    bench.agents.agentDies(bench.ref());
    bench.pass();

    bench.clock.advance(bench.settings.enrolBound().minusSeconds(1));
    bench.pass();
    assertThat(bench.machine().calls()).containsOnlyOnce("restartAgent");

    bench.clock.advance(Duration.ofSeconds(1));
    bench.pass();
    assertThat(bench.machine().calls())
        .containsExactly("probe", "configure", "restartAgent", "restartAgent");
  }

  /** Its silence is told by the hub long before a slow machine has started it. */
  @Test
  void anAgentThatWasJustInstalledHasTimeToConnectBeforeItIsRestarted() {
    bench.pass();
    bench.agents.agentDies(bench.ref());

    bench.clock.advance(bench.settings.enrolBound().minusSeconds(1));
    bench.pass();
    assertThat(bench.machine().calls()).containsExactly("probe", "configure");

    bench.clock.advance(Duration.ofSeconds(1));
    bench.pass();
    assertThat(bench.machine().calls()).containsExactly("probe", "configure", "restartAgent");
  }

  @Test
  void anAgentThatNeverConnectsIsRestarted() {
    bench.pass();
    bench.pass();
    assertThat(bench.agents.health(bench.ref())).isInstanceOf(VmHealth.Awaited.class);

    bench.clock.advance(bench.settings.enrolBound().plusSeconds(1));
    bench.pass();

    assertThat(bench.machine().calls()).containsExactly("probe", "configure", "restartAgent");
  }

  @Test
  void aLostMachineThatIsBackMustStayAWhileBeforeItIsReady() {
    bench.ready();
    bench.agents.lose(bench.ref());
    bench.pass();
    bench.connect();

    Duration again = bench.pass();
    assertThat(hasReason(bench.status().conditions(), ConditionType.READY, Reason.STABILISING))
        .isTrue();
    assertThat(again).isLessThanOrEqualTo(bench.settings.returning().stable().plusMillis(10));

    bench.clock.advance(bench.settings.returning().stable());
    bench.pass();
    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
  }

  @Test
  void aMachineThatStillRunsWhatIsBoundElsewhereIsNotReady() {
    bench.ready();

    bench.agents.report(
        bench.ref(),
        new TeamReport(
            "team-uid", "lab", "team-7", 3, TeamReport.State.HEALTHY, null, null, List.of()));
    bench.pass();

    assertThat(hasReason(bench.status().conditions(), ConditionType.READY, Reason.STABILISING))
        .isTrue();
  }

  @Test
  void aMachineThatRunsWhatAnEmptiedStatusDoesNotKnowIsReady() {
    bench.ready();
    LabTeam team = Serialization.unmarshal(Documents.TEAM, LabTeam.class);
    team.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace("lab")
            .withName("team-7")
            .withUid("team-uid")
            .build());
    team.setStatus(LabTeamStatus.EMPTY);
    bench.teams.add(team);

    bench.agents.report(
        bench.ref(),
        new TeamReport(
            "team-uid", "lab", "team-7", 3, TeamReport.State.HEALTHY, null, null, List.of()));
    bench.pass();

    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
  }

  @Test
  void aTokenThatTheHubDoesNotAcceptIsReplaced() {
    bench.ready();
    bench.enrolment.forgetAll();

    edit();
    bench.pass();

    assertThat(bench.enrolment.issued()).isEqualTo(2);
    assertThat(bench.machine().configuration().token()).isEqualTo("token-2");
  }

  @Test
  void aQuarantineEndsOnlyByItsOwnId() {
    bench.judge.violation = true;
    bench.pass();
    String id = bench.status().quarantine().id();
    assertThat(bench.machine().configuration()).isNull();

    bench.judge.violation = false;
    bench.annotate(Names.RELEASE, "q-of-another-time").pass();
    assertThat(bench.status().quarantine()).isNotNull();

    bench.annotate(Names.RELEASE, id).pass();
    assertThat(bench.status().quarantine()).isNull();
    assertThat(holds(bench.status().conditions(), ConditionType.CONFIGURED)).isTrue();
    assertThat(bench.judge.released).isEqualTo(1);
  }

  @Test
  void aPausedMachineIsNotTouched() {
    bench.annotate(Names.PAUSED, "true").pass();

    assertThat(bench.machine().calls()).isEmpty();
  }

  @Test
  void theYoungerOfTwoObjectsForOneHostKeyIsRefusedBeforeAnythingIsInstalled() {
    ContributedVM older = VmBench.vm("older", "uid-0", "2025-01-01T00:00:00Z");
    older.setSpec(withHost(older.getSpec(), "another.example.org"));
    older.setStatus(
        older.getStatus().toBuilder().hostKey(FakeVmAccess.ED25519.fingerprint()).build());
    bench.others.add(older);

    bench.pass();

    assertThat(bench.machine().calls()).containsExactly("probe");
    assertThat(
            hasReason(
                bench.status().conditions(), ConditionType.REACHABLE, Reason.DUPLICATE_MACHINE))
        .isTrue();

    bench.others.clear();
    bench.pass();
    assertThat(bench.machine().calls()).containsExactly("probe", "probe", "configure");
  }

  @Test
  void aDeletedMachineIsCleanedAndItsTokenRevoked() {
    bench.ready().vm.getMetadata().setDeletionTimestamp("2026-06-01T10:00:00Z");

    assertThat(bench.cleanup()).isEmpty();

    assertThat(bench.machine().configuration()).isNull();
    assertThat(bench.enrolment.revoked).containsExactly(bench.ref());
    assertThat(bench.agents.health(bench.ref())).isInstanceOf(VmHealth.Unwatched.class);
  }

  @Test
  void aDeletedMachineWhoseSecretIsGoneIsCleanedByItsAgent() {
    bench.agents.obedient(false);
    bench.ready().secret = Optional.empty();
    delete();

    assertThat(bench.cleanup()).isPresent();
    bench.agents.cleared(bench.ref(), List.of("sshfs"), List.of());

    assertThat(bench.cleanup()).isEmpty();
    assertThat(bench.machine().calls()).doesNotContain("uninstall");
    assertThat(bench.enrolment.revoked).containsExactly(bench.ref());
    assertThat(bench.events)
        .anyMatch(event -> event.startsWith("NORMAL Deleting") && event.contains("sshfs"));
  }

  @Test
  void aDeletedMachineThatRefusesTheLoginIsCleanedByItsAgent() {
    bench.ready().machine().hostKey(FakeVmAccess.OTHER_ED25519);
    delete();

    assertThat(bench.cleanup()).isEmpty();

    assertThat(bench.events).anyMatch(event -> event.startsWith("NORMAL Deleting"));
  }

  @Test
  void aDeletedMachineThatNobodyCanReachIsGivenUpWithBothReasons() {
    bench.ready().secret = Optional.empty();
    bench.agents.agentDies(bench.ref());
    delete();

    assertThat(bench.cleanup()).isPresent();
    bench.clock.advance(bench.settings.cleanupBound());

    assertThat(bench.cleanup()).isEmpty();
    assertThat(bench.events)
        .anyMatch(
            event ->
                event.startsWith("WARNING CleanupAbandoned")
                    && event.contains("alice-1-ssh does not exist")
                    && event.contains("agent is not connected"));
  }

  @Test
  void eachBoundaryBetweenTwoStepsIsTold() {
    bench.ready();
    delete();
    bench.cleanup();

    assertThat(bench.steps).containsExactlyElementsOf(STEPS);
  }

  @ParameterizedTest
  @FieldSource("STEPS")
  void aCrashAtAnyBoundaryIsMadeUpForByTheNextOperator(String boundary) {
    bench.crash =
        (step, _) -> {
          if (step.equals(boundary)) {
            bench.crash = StepListener.NONE;
            throw new Crash();
          }
        };

    surviving(bench::pass);
    bench.connect();
    surviving(bench::pass);
    bench.pass();

    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
    String token = Objects.requireNonNull(bench.machine().configuration().token());
    assertThat(bench.enrolment.acceptsToken(bench.ref(), FakeVmAccess.sha256(token))).isTrue();

    delete();
    surviving(bench::cleanup);

    assertThat(bench.cleanup()).isEmpty();
    assertThat(bench.machine().configuration()).isNull();
    assertThat(bench.enrolment.revoked).contains(bench.ref());
    assertThat(bench.judge.forgotten).isPositive();
  }

  private static final class Crash extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private static void surviving(Runnable pass) {
    try {
      pass.run();
    } catch (Crash e) {
      // The next operator reads what this one wrote.
      assertThat(e).hasNoCause();
    }
  }

  @Test
  void aMachineThatWasCleanedIsNotAskedAgainAfterACrash() {
    bench.ready().secret = Optional.empty();
    delete();
    bench.cleanup();
    bench.agents.forget(bench.ref());
    int events = bench.events.size();

    assertThat(bench.cleanup()).isEmpty();
    assertThat(bench.events).hasSize(events);
  }

  @Test
  void whatStaysOnADeletedMachineIsTriedAgainUntilTheBound() {
    bench.agents.obedient(false);
    bench.ready().secret = Optional.empty();
    delete();
    bench.cleanup();

    bench.agents.cleared(bench.ref(), List.of(), List.of("a workspace that is still in use"));
    assertThat(bench.cleanup()).isPresent();
    assertThat(bench.cleanup()).isPresent();
    assertThat(bench.agents.sent(bench.ref()))
        .filteredOn(message -> message instanceof ToAgent.Uninstall)
        .hasSize(2);
  }

  @Test
  void aDeletedMachineThatIsGoneIsGivenUpAfterTheBoundWithAnEvent() {
    bench.ready().machine().reachable(false);
    bench.agents.lose(bench.ref());
    delete();

    assertThat(bench.cleanup()).isPresent();
    bench.clock.advance(bench.settings.cleanupBound());

    assertThat(bench.cleanup()).isEmpty();
    assertThat(bench.events).anyMatch(event -> event.startsWith("WARNING CleanupAbandoned"));
  }

  @Test
  void forceDeleteSkipsTheCleanUp() {
    bench.ready().annotate(Names.FORCE_DELETE, "true");
    bench.vm.getMetadata().setDeletionTimestamp("2026-06-01T10:00:00Z");

    assertThat(bench.cleanup()).isEmpty();
    assertThat(bench.machine().configuration()).isNotNull();
  }

  @Test
  void aFailedReverificationOfAMachineThatIsWellChangesNothing() {
    bench.ready();
    bench
        .machine()
        .failNext("probe", new Failure(Failure.Kind.TRANSIENT, Reason.UNREACHABLE, "no answer"));

    bench.clock.advance(bench.settings.reverify());
    bench.pass();

    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
  }

  @Test
  void aReadyOfTheOldSpecIsNotClaimedForTheNewOne() {
    bench.ready();
    bench.written.clear();

    edit();
    bench.machine().reachable(false);
    bench.pass();

    assertThat(bench.written)
        .filteredOn(status -> holds(status.conditions(), ConditionType.READY))
        .allSatisfy(status -> assertThat(status.observedGeneration()).isEqualTo(1));
    assertThat(bench.status().observedGeneration()).isEqualTo(2);
    assertThat(hasReason(bench.status().conditions(), ConditionType.READY, Reason.UNREACHABLE))
        .isTrue();
  }

  @Test
  void anEditThatLeadsNowhereIsTriedAgainLaterAndLaterAlthoughTheAgentIsWell() {
    bench.ready();
    int logins = bench.machine().logins();
    edit();
    bench.machine().reachable(false);

    bench.pass();
    bench.pass();
    bench.pass();
    assertThat(bench.machine().logins()).isEqualTo(logins + 1);
    assertThat(bench.status().backoff().attempts()).isEqualTo(1);

    bench.clock.advance(Duration.ofSeconds(3));
    bench.pass();
    bench.pass();
    assertThat(bench.machine().logins()).isEqualTo(logins + 2);
    assertThat(bench.status().backoff().attempts()).isEqualTo(2);
  }

  @Test
  void anUnreachableMachineIsTriedAtOnceWhenItsAgentComes() {
    bench.ready();
    bench.agents.disconnect(bench.ref());
    edit();
    bench.machine().reachable(false);
    bench.pass();
    bench.clock.advance(Duration.ofMillis(500));

    bench.machine().reachable(true);
    bench.connect();
    bench.pass();
    bench.pass();

    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
  }

  @Test
  void aMachineThatCouldNotBeMeasuredIsNotConfigured() {
    bench.ready();
    edit();
    bench
        .machine()
        .failNext("probe", new Failure(Failure.Kind.TRANSIENT, Reason.UNREACHABLE, "no answer"));

    bench.pass();

    assertThat(bench.machine().calls()).containsExactly("probe", "configure", "probe");
  }

  @Test
  void aMachineThatCarriesTeamsIsWatchedByANewOperatorAlsoWhenAnEditFailedOnIt() {
    bench.ready();
    bench.teams.add(DocumentedVmStatesTest.team(bench));
    edit();
    bench
        .machine()
        .failNext(
            "configure",
            new Failure(Failure.Kind.TERMINAL, Reason.UNSUPPORTED_SYSTEM, "no such system"));
    bench.pass();
    assertThat(holds(bench.status().conditions(), ConditionType.CONFIGURED)).isFalse();

    bench.agents.forget(bench.ref());
    bench.pass();

    assertThat(bench.agents.watched(bench.ref())).isPresent();
  }

  @Test
  void theHubIsGivenAWayToAskWhetherTheMachineLetsAnybodyIn() {
    bench.ready();
    Duration within = Duration.ofSeconds(5);
    LoginCheck check = bench.agents.login(bench.ref()).orElseThrow();

    assertThat(check.answers(within)).isTrue();

    bench.machine().accepts(SshCredentials.password("another"));
    assertThat(check.answers(within)).as("to be refused is an answer too").isTrue();

    bench.machine().reachable(false);
    assertThat(check.answers(within)).isFalse();
  }

  @Test
  void aMachineThatHangsIsNotLoggedInToAsEachLoginWouldCountWhenItGoesOn() {
    bench.ready().agents.lose(bench.ref(), VmFault.HUNG);
    bench.pass();
    int before = bench.machine().calls().size();

    for (int i = 0; i < 10; i++) {
      bench.clock.advance(Duration.ofMinutes(10));
      assertThat(bench.pass()).isGreaterThan(Duration.ofSeconds(1));
    }

    assertThat(bench.machine().calls()).hasSize(before);
  }

  @Test
  void whatIsOverdueAndMayNotBeDoneIsNotLookedAtAllTheTime() {
    bench.machine().reachable(false);
    bench.pass();
    bench.annotate(Names.PAUSED, "true");
    bench.clock.advance(Duration.ofMinutes(10));

    assertThat(bench.pass()).isGreaterThan(Duration.ofSeconds(1));
  }

  @Test
  void aHungAgentIsRestartedAndTheEventSaysSo() {
    bench.ready().agents.agentHangs(bench.ref());
    int before = bench.machine().agentStarts();

    bench.pass();

    assertThat(bench.machine().agentStarts()).isEqualTo(before + 1);
    assertThat(bench.events)
        .contains("WARNING AgentHung sshd answers, the agent hangs: restarting it");
  }

  @Test
  void thatSshdDoesNotAnswerIsSaidOnceAndTakenBack() {
    bench.ready().agents.sshdDies(bench.ref());
    bench.pass();
    bench.pass();

    assertThat(bench.events).filteredOn(event -> event.contains("SshdSilent")).hasSize(1);

    bench.agents.health(bench.ref(), new VmHealth.Alive(bench.clock.instant(), true));
    bench.pass();
    assertThat(Conditions.find(bench.status().conditions(), ConditionType.REACHABLE))
        .map(Condition::getReason)
        .contains("Connected");
  }

  @Test
  void thatTheHubDoubtsItselfIsSaidWhereItIsToBeSaid() {
    bench.ready().agents.suspect(bench.ref(), VmHealth.Hold.STORM);
    bench.pass();
    assertThat(bench.events).noneMatch(event -> event.contains("LossDoubted"));

    bench.agents.suspect(bench.ref(), VmHealth.Hold.STORM_TO_SAY);
    bench.pass();
    bench.agents.suspect(bench.ref(), VmHealth.Hold.DEAF);
    bench.pass();

    assertThat(bench.events).filteredOn(event -> event.contains("LossDoubted")).hasSize(2);
    assertThat(holds(bench.status().conditions(), ConditionType.READY)).isTrue();
  }

  private void delete() {
    bench.vm.getMetadata().setDeletionTimestamp("2026-06-01T10:00:00Z");
  }

  private void pin(String hostKey) {
    SshSpec ssh = bench.vm.getSpec().ssh();
    bench.spec(
        spec ->
            withSsh(
                spec,
                new SshSpec(
                    ssh.host(),
                    ssh.port(),
                    ssh.user(),
                    ssh.sudo(),
                    hostKey,
                    ssh.credentialsSecretRef())));
  }

  private void edit() {
    SshSpec ssh = bench.vm.getSpec().ssh();
    bench.spec(
        spec ->
            withSsh(
                spec,
                new SshSpec(
                    ssh.host(),
                    ssh.port(),
                    ssh.user(),
                    false,
                    ssh.hostKey(),
                    ssh.credentialsSecretRef())));
  }

  private static ContributedVMSpec withHost(ContributedVMSpec spec, String host) {
    SshSpec ssh = spec.ssh();
    return withSsh(
        spec,
        new SshSpec(
            host, ssh.port(), ssh.user(), ssh.sudo(), ssh.hostKey(), ssh.credentialsSecretRef()));
  }

  private static ContributedVMSpec drain(ContributedVMSpec spec) {
    return new ContributedVMSpec(
        spec.contributor(),
        spec.ssh(),
        spec.capacity(),
        spec.schedulable(),
        true,
        spec.integrity(),
        spec.availability());
  }

  private static ContributedVMSpec withSsh(ContributedVMSpec spec, SshSpec ssh) {
    return new ContributedVMSpec(
        spec.contributor(),
        ssh,
        spec.capacity(),
        spec.schedulable(),
        spec.drain(),
        spec.integrity(),
        spec.availability());
  }
}
