package dev.crowdlab.vm;

import static dev.crowdlab.integrity.SampleFacts.NEW;
import static dev.crowdlab.integrity.SampleFacts.OLD;
import static dev.crowdlab.integrity.SampleFacts.SSHD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMSpec;
import dev.crowdlab.api.Finding;
import dev.crowdlab.api.FindingKind;
import dev.crowdlab.api.IntegrityPolicy;
import dev.crowdlab.api.IntegritySpec;
import dev.crowdlab.api.IntegrityStatus;
import dev.crowdlab.api.OnViolation;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.integrity.Facts.ProtectedFile;
import dev.crowdlab.integrity.Ours;
import dev.crowdlab.integrity.SampleFacts;
import dev.crowdlab.vm.Baselines.BaselinesUnavailableException;
import dev.crowdlab.vm.Baselines.Entry;
import dev.crowdlab.vm.Judge.Judgement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IntegrityJudgeTest {

  private static final Instant AT = Instant.parse("2026-06-01T10:00:00Z");

  private final FakeBaselines baselines = new FakeBaselines();
  private final Judge judge = judge(false);
  private ContributedVM vm = VmBench.vm("alice-1", "uid-1", "2026-01-01T00:00:00Z");
  private final VmRef ref = VmView.ref(vm);
  private SampleFacts facts = new SampleFacts();

  @Test
  void theFirstAcceptedMeasurementBecomesTheBaseline() {
    Judgement first = judged();

    assertThat(first.accepted()).isTrue();
    assertThat(first.quarantine()).isFalse();
    assertThat(first.integrity().baselineDigest()).hasSize(64);
    assertThat(first.integrity().lastVerified()).isEqualTo("2026-06-01T10:00:00.000Z");
    assertThat(baselines.entry(ref)).containsInstanceOf(Entry.Accepted.class);
  }

  @Test
  void aMeasurementLikeTheFirstWritesNothing() {
    Judgement first = judged();

    Judgement second = judged();

    assertThat(second).isEqualTo(first);
    assertThat(baselines.writes()).isEqualTo(1);
  }

  @Test
  void aMachineThatViolatesThePolicyHasNoBaseline() {
    facts.uidZero.add("toor");

    Judgement judgement = judged();

    assertThat(judgement.accepted()).isFalse();
    assertThat(judgement.quarantine()).isTrue();
    assertThat(judgement.integrity().baselineDigest()).isNull();
    assertThat(baselines.entry(ref)).isEmpty();
  }

  @Test
  void aViolationKeepsTheBaselineSoThatARepairIsSeen() {
    String digest = judged().integrity().baselineDigest();
    facts.file(SSHD, 'e', "755:0:0", OLD);

    Judgement violated = judged();
    assertThat(violated.accepted()).isFalse();
    assertThat(violated.integrity().baselineDigest()).isEqualTo(digest);

    facts = new SampleFacts();
    assertThat(judged().accepted()).isTrue();
  }

  @Test
  void anUpdateMovesTheBaselineOn() {
    String before = judged().integrity().baselineDigest();
    facts.file(SSHD, 'e', "755:0:0", NEW);

    Judgement updated = judged();

    assertThat(updated.accepted()).isTrue();
    assertThat(updated.integrity().baselineDigest()).isNotEqualTo(before);
    assertThat(judged()).isEqualTo(updated);
  }

  @Test
  void aCrashBetweenTheBaselineAndTheStatusLosesNothing() {
    judged();
    ContributedVM lagging = vm;
    facts.file(SSHD, 'e', "755:0:0", NEW);
    String moved = judged().integrity().baselineDigest();

    // The status that was to name the new baseline was never written.
    vm = lagging;

    assertThat(judged().integrity().baselineDigest()).isEqualTo(moved);
  }

  @Test
  void aCrashBeforeTheFirstStatusLosesNothing() {
    judged();
    vm = VmBench.vm("alice-1", "uid-1", "2026-01-01T00:00:00Z");
    facts.file(SSHD, 'e', "755:0:0", OLD);

    assertThat(kindsOf(judged())).containsExactly(FindingKind.PROTECTED_PATH_CHANGED);
  }

  @Test
  void aMachineIsNotAcceptedWhileItsBaselineCannotBeRead() {
    baselines.away(true);

    assertThatThrownBy(this::judged).isInstanceOf(BaselinesUnavailableException.class);
  }

  @Test
  void aMachineIsNotAcceptedWhileItsBaselineCannotBeKept() {
    baselines.refusesWrites(true);

    assertThatThrownBy(this::judged).isInstanceOf(BaselinesUnavailableException.class);
  }

  @Test
  void aLostBaselineIsKeptAnewWhenTheMachineIsAsItWasAccepted() {
    Judgement before = judged();
    baselines.put(ref, null);

    assertThat(judged()).isEqualTo(before);
    assertThat(baselines.entry(ref)).containsInstanceOf(Entry.Accepted.class);
  }

  @Test
  void aLostBaselineIsNeverReplacedInSilence() {
    String digest = judged().integrity().baselineDigest();
    baselines.put(ref, null);
    facts.file(SSHD, 'e', "755:0:0", NEW);

    for (int pass = 0; pass < 2; pass++) {
      Judgement judgement = judged();
      assertThat(judgement.accepted()).isFalse();
      assertThat(judgement.quarantine()).isTrue();
      assertThat(kindsOf(judgement)).containsExactly(FindingKind.BASELINE_LOST);
      assertThat(judgement.integrity().baselineDigest()).isEqualTo(digest);
    }
    assertThat(baselines.entry(ref)).isEmpty();
  }

  @Test
  void aBaselineOfAnotherDigestIsLost() {
    ContributedVM other = vm;
    facts.file(SSHD, 'x', "755:0:0", OLD);
    judged();
    Entry foreign = baselines.entry(ref).orElseThrow();
    baselines.put(ref, null);
    vm = other;
    facts = new SampleFacts();
    judged();
    baselines.put(ref, foreign);
    facts.file(SSHD, 'x', "755:0:0", OLD);

    assertThat(kindsOf(judged())).containsExactly(FindingKind.BASELINE_LOST);
  }

  @Test
  void aBaselineThatCannotBeReadAtAllIsLostAlsoWithoutADigestInStatus() {
    baselines.put(ref, new Entry.Unusable("test"));

    assertThat(kindsOf(judged())).containsExactly(FindingKind.BASELINE_LOST);
  }

  @Test
  void aReleaseAcceptsThePresentState() {
    judged();
    facts.file(SSHD, 'e', "755:0:0", OLD);
    facts.uidZero.add("toor");
    assertThat(judged().accepted()).isFalse();

    judge.release(vm);

    assertThat(judged().accepted()).isTrue();
    assertThat(judged().accepted()).isTrue();
    facts.file(SSHD, 'f', "755:0:0", OLD);
    assertThat(kindsOf(judged())).contains(FindingKind.PROTECTED_PATH_CHANGED);
  }

  @Test
  void aReleaseEndsALostBaselineToo() {
    judged();
    baselines.put(ref, null);
    facts.file(SSHD, 'e', "755:0:0", OLD);
    judged();

    judge.release(vm);

    assertThat(judged().accepted()).isTrue();
  }

  @Test
  void aReleaseThatTheSpecForbidsIsUsedUp() {
    facts.os = "fedora";
    judged();
    judge.release(vm);
    assertThat(judged().accepted()).isFalse();

    facts.os = "debian";
    facts.uidZero.add("toor");

    assertThat(kindsOf(judged())).containsExactly(FindingKind.UID_ZERO_ACCOUNT);
  }

  @Test
  void aReleaseThatCannotBeKeptFails() {
    baselines.refusesWrites(true);

    assertThatThrownBy(() -> judge.release(vm)).isInstanceOf(BaselinesUnavailableException.class);
  }

  @Test
  void aForgottenVmLeavesNothing() {
    judged();

    judge.forget(vm);

    assertThat(baselines.entry(ref)).isEmpty();
  }

  @Test
  void forgettingNeverHoldsAnObject() {
    judged();
    baselines.away(true);

    judge.forget(vm);

    assertThat(baselines.entry(ref)).isPresent();
  }

  @Test
  void reportedViolationsDoNotQuarantineUnlessTheInstallationDemandsIt() {
    facts.uidZero.add("toor");
    spec(IntegrityPolicy.STANDARD, OnViolation.REPORT);

    assertThat(judged().quarantine()).isFalse();
    assertThat(judge(true).judge(vm, probed(), false).quarantine()).isTrue();
  }

  @Test
  void aStatusHoldsAtMostFiftyFindingsTheGravestFirst() {
    for (int i = 0; i < 100; i++) {
      facts.verified("/etc/edited/" + i, false, true);
    }
    facts.verified("/usr/bin/ls", false, false);

    List<Finding> findings = judged().integrity().findings();

    assertThat(findings).hasSize(50);
    assertThat(findings.getFirst().subject()).isEqualTo("/usr/bin/ls");
  }

  @Test
  void aBaselineTooLargeToBeKeptIsAViolation() {
    Random random = new Random(3);
    for (int i = 0; i < 2_000; i++) {
      byte[] name = new byte[300];
      random.nextBytes(name);
      facts.files.put(
          "/etc/pam.d/" + java.util.HexFormat.of().formatHex(name),
          new ProtectedFile(SampleFacts.hex('a'), "644:0:0", null));
    }

    Judgement judgement = judged();

    assertThat(judgement.accepted()).isFalse();
    assertThat(judgement.integrity().findings().getFirst().subject()).isEqualTo("baseline");
    assertThat(baselines.entry(ref)).isEmpty();
  }

  /** Judges, and writes the status as the reconciler does. */
  private Judgement judged() {
    Judgement judgement = judge.judge(vm, probed(), false);
    IntegrityStatus integrity = judgement.integrity();
    vm = VmObserver.withStatus(vm, vm.getStatus().toBuilder().integrity(integrity).build());
    return judgement;
  }

  private VmAccess.Probed probed() {
    return new VmAccess.Probed(facts.facts(), Duration.ofMillis(2), Duration.ZERO, AT);
  }

  private Judge judge(boolean alwaysQuarantine) {
    return new IntegrityJudge(baselines, new Ours(20_000, 29_999), alwaysQuarantine);
  }

  private void spec(IntegrityPolicy policy, OnViolation onViolation) {
    ContributedVMSpec spec = vm.getSpec();
    vm.setSpec(
        new ContributedVMSpec(
            spec.contributor(),
            spec.ssh(),
            spec.capacity(),
            spec.schedulable(),
            spec.drain(),
            new IntegritySpec(policy, List.of(), List.of(), null, List.of(), onViolation),
            spec.availability()));
  }

  private static List<FindingKind> kindsOf(Judgement judgement) {
    return judgement.integrity().findings().stream().map(Finding::kind).toList();
  }
}
