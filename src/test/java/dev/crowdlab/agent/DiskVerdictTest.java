package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.agent.Disks.Trial;
import dev.crowdlab.protocol.FromAgent.Disk.State;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DiskVerdictTest {

  private static final long PLENTY = 1L << 30;

  private final DiskVerdict verdict = new DiskVerdict();

  private Optional<State> after(State found, long usable) {
    verdict.heed(new Trial(Optional.of(found), usable, ""));
    return verdict.held();
  }

  @Test
  void nothingIsHeldBeforeATrialSaidSomething() {
    verdict.heed(new Trial(Optional.empty(), PLENTY, "Input/output error"));

    assertThat(verdict.held()).isEmpty();
    assertThat(after(State.WRITABLE, PLENTY)).contains(State.WRITABLE);
  }

  @Test
  void aTrialThatSaysNothingChangesNothing() {
    after(State.READ_ONLY, PLENTY);

    verdict.heed(new Trial(Optional.empty(), PLENTY, "Input/output error"));

    assertThat(verdict.held()).contains(State.READ_ONLY);
  }

  @Test
  void whatIsLeftForRootAloneIsNoRoom() {
    assertThat(after(State.WRITABLE, DiskVerdict.LEAST)).contains(State.WRITABLE);
    assertThat(after(State.WRITABLE, DiskVerdict.LEAST - 1)).contains(State.FULL);
    assertThat(after(State.READ_ONLY, 0)).as("told apart").contains(State.READ_ONLY);
  }

  @Test
  void aFullDiskIsMendedOnlyOnceThereIsSomeRoom() {
    after(State.FULL, 0);

    assertThat(after(State.WRITABLE, DiskVerdict.LEAST)).contains(State.FULL);
    assertThat(after(State.WRITABLE, DiskVerdict.ENOUGH - 1)).contains(State.FULL);
    assertThat(after(State.WRITABLE, DiskVerdict.ENOUGH)).contains(State.WRITABLE);
    assertThat(after(State.WRITABLE, DiskVerdict.LEAST)).contains(State.WRITABLE);
  }

  @Test
  void aDiskThatCouldOnlyBeReadIsMendedByTheFirstWrite() {
    after(State.READ_ONLY, PLENTY);

    assertThat(after(State.WRITABLE, DiskVerdict.LEAST)).contains(State.WRITABLE);
  }

  @Test
  void aDiskThatTookNothingHasToTakeSeveralFiles() {
    assertThat(verdict.files()).isEqualTo(1);
    after(State.WRITABLE, PLENTY);
    assertThat(verdict.files()).isEqualTo(1);

    after(State.FULL, PLENTY);

    assertThat(verdict.files()).isEqualTo(DiskVerdict.SEVERAL);
  }
}
