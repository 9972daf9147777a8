package dev.crowdlab.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.experiment.Expectation.Moves;
import dev.crowdlab.experiment.Expectation.Returns;
import dev.crowdlab.experiment.Expectation.Seen;
import dev.crowdlab.experiment.Expectation.Stays;
import dev.crowdlab.experiment.Expectation.Unbroken;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ExpectationTest {

  private static final LabTeamStatus BEFORE = Statuses.ready("alice", 1);
  private static final LabTeamStatus MOVED =
      Statuses.ready("bob", 2, Statuses.recovery(RecoveryCause.VM_LOST, "alice", "bob", 2));
  private static final LabTeamStatus RESTARTED =
      Statuses.ready(
          "alice", 2, Statuses.recovery(RecoveryCause.EXERCISE_FAILED, "alice", "alice", 2));
  private static final Moves MOVES = new Moves(Set.of(RecoveryCause.VM_LOST));

  @Test
  void aMoveIsToAnotherMachineUnderAHigherEpochForTheCauseThatIsExpected() {
    assertThat(MOVES.unmet(seen(MOVED))).isEmpty();
    assertThat(MOVES.unmet(seen(BEFORE)))
        .containsExactly(
            "it is on the same machine", "its epoch is 1 as before", "status has no recovery");
    assertThat(new Moves(Set.of(RecoveryCause.VM_QUARANTINED)).unmet(seen(MOVED)))
        .containsExactly("the cause in status is VmLost");
  }

  @Test
  void onlyTheRecoveriesSinceTheFaultCount() {
    LabTeamStatus later =
        Statuses.ready(
            "carol",
            3,
            Statuses.recovery(RecoveryCause.REQUESTED, "alice", "bob", 2),
            Statuses.recovery(RecoveryCause.VM_LOST, "bob", "carol", 3));

    assertThat(MOVES.unmet(new Seen(MOVED, later, 0, 0))).isEmpty();
    assertThat(MOVES.unmet(new Seen(MOVED, MOVED, 0, 0))).contains("status has no recovery");
  }

  @Test
  void whoStaysMayStartAnewThere() {
    assertThat(new Stays().unmet(seen(BEFORE))).isEmpty();
    assertThat(new Stays().unmet(new Seen(BEFORE, RESTARTED, 1, 7))).isEmpty();
    assertThat(new Stays().unmet(seen(MOVED))).containsExactly("it moved from alice to bob");
  }

  @Test
  void whoReturnsMayBeAnywhere() {
    assertThat(new Returns().unmet(seen(MOVED))).isEmpty();
    assertThat(new Returns().unmet(seen(LabTeamStatus.EMPTY)))
        .containsExactly("the team is bound to no machine");
  }

  @Test
  void whereThereIsNoFaultNothingIsTouched() {
    Unbroken unbroken = new Unbroken(false);

    assertThat(unbroken.unmet(new Seen(BEFORE, BEFORE, 0, 5))).isEmpty();
    assertThat(unbroken.unmet(new Seen(BEFORE, BEFORE, 1, 0)))
        .containsExactly("its exercise was started anew");
    assertThat(unbroken.unmet(seen(RESTARTED)))
        .containsExactly("its epoch is 2 after 1", "status has a recovery: ExerciseFailed");
    assertThat(unbroken.unmet(seen(MOVED))).contains("it moved from alice to bob");
  }

  @Test
  void whereStudentsNoticeNothingNoRequestFails() {
    assertThat(new Unbroken(true).unmet(seen(BEFORE))).isEmpty();
    assertThat(new Unbroken(true).unmet(new Seen(BEFORE, BEFORE, 0, 2)))
        .containsExactly("2 of the student's requests came to nothing");
  }

  private static Seen seen(LabTeamStatus after) {
    return new Seen(BEFORE, after, 0, 0);
  }
}
