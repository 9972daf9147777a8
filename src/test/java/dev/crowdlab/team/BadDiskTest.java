package dev.crowdlab.team;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.protocol.FromAgent.DiskState;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a machine's full or read-only disk means for teams: those that are there, and others. */
class BadDiskTest {

  private final EditLab lab = EditLab.ready();

  private void disk(DiskState state) {
    lab.agents.disk(lab.alice.ref(), state);
    lab.settle();
  }

  private void elsewhereIsNoRoom() {
    lab.agents.lose(EditLab.BOB);
    lab.settle();
  }

  @ParameterizedTest
  @EnumSource(
      value = DiskState.class,
      names = {"FULL", "READ_ONLY"})
  void aTeamThatIsThereStaysUntouchedAndNoOtherComesUntilItIsMended(DiskState state) {
    elsewhereIsNoRoom();
    TeamWorld before = lab.world().team();

    disk(state);
    lab.create("t2");
    lab.settle();
    assertThat(lab.vmOf("t2")).isEmpty();
    assertThat(lab.bed.condition("t2", ConditionType.PLACED)).isEqualTo("False:NoCapacity");
    assertThat(lab.world().team()).isEqualTo(before);

    disk(DiskState.WRITABLE);
    lab.bed.settle("t2");

    assertThat(lab.vmOf("t2")).isEqualTo("alice-1");
    assertThat(lab.bed.condition("t2", ConditionType.READY)).isEqualTo("True:Ready");
  }

  @Test
  void aNewTeamGoesToAMachineWhoseDiskIsWell() {
    disk(DiskState.FULL);

    lab.create("t2");
    lab.settle();

    assertThat(lab.vmOf("t2")).isEqualTo("bob-1");
    assertThat(lab.vmOf(EditLab.T)).isEqualTo("alice-1");
  }

  @Test
  void aRunThatFailsOnAFullDiskGoesOnElsewhere() {
    disk(DiskState.FULL);

    lab.agents.fail(
        lab.alice.ref(),
        TeamBed.ref(EditLab.T),
        RunFailure.CONTAINER_EXITED,
        "container web ended repeatedly");
    lab.settle();
    lab.clock.advance(Duration.ofMinutes(1));
    lab.settle();

    assertThat(lab.vmOf(EditLab.T)).isEqualTo("bob-1");
    assertThat(lab.bed.condition(EditLab.T, ConditionType.READY)).isEqualTo("True:Ready");
    assertThat(lab.agents.sent(EditLab.BOB)).anyMatch(ToAgent.Run.class::isInstance);
  }
}
