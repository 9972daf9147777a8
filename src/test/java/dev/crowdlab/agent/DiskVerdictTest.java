package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.agent.Disks.Trial;
import dev.crowdlab.protocol.FromAgent.DiskState;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DiskVerdictTest {

  private static final long PLENTY = 1L << 30;

  private final DiskVerdict verdict = new DiskVerdict();

  private Optional<DiskState> after(DiskState found, long usable) {
    verdict.heed(new Trial(Optional.of(found), usable, ""));
    return verdict.held();
  }

  @Test
  void nothingIsHeldBeforeATrialSaidSomething() {
    verdict.heed(new Trial(Optional.empty(), PLENTY, "Input/output error"));

    assertThat(verdict.held()).isEmpty();
    assertThat(after(DiskState.WRITABLE, PLENTY)).contains(DiskState.WRITABLE);
  }

  @Test
  void aTrialThatSaysNothingChangesNothing() {
    after(DiskState.READ_ONLY, PLENTY);

    verdict.heed(new Trial(Optional.empty(), PLENTY, "Input/output error"));

    assertThat(verdict.held()).contains(DiskState.READ_ONLY);
  }

  @Test
  void whatIsLeftForRootAloneIsNoRoom() {
    assertThat(after(DiskState.WRITABLE, DiskVerdict.LEAST)).contains(DiskState.WRITABLE);
    assertThat(after(DiskState.WRITABLE, DiskVerdict.LEAST - 1)).contains(DiskState.FULL);
    assertThat(after(DiskState.READ_ONLY, 0)).as("told apart").contains(DiskState.READ_ONLY);
  }

  @Test
  void aFullDiskIsMendedOnlyOnceThereIsSomeRoom() {
    after(DiskState.FULL, 0);

    assertThat(after(DiskState.WRITABLE, DiskVerdict.LEAST)).contains(DiskState.FULL);
    assertThat(after(DiskState.WRITABLE, DiskVerdict.ENOUGH - 1)).contains(DiskState.FULL);
    assertThat(after(DiskState.WRITABLE, DiskVerdict.ENOUGH)).contains(DiskState.WRITABLE);
    assertThat(after(DiskState.WRITABLE, DiskVerdict.LEAST)).contains(DiskState.WRITABLE);
  }

  @Test
  void aDiskThatCouldOnlyBeReadIsMendedByTheFirstWrite() {
    after(DiskState.READ_ONLY, PLENTY);

    assertThat(after(DiskState.WRITABLE, DiskVerdict.LEAST)).contains(DiskState.WRITABLE);
  }

  @Test
  void aDiskThatTookNothingHasToTakeSeveralFiles() {
    assertThat(verdict.files()).isEqualTo(1);
    after(DiskState.WRITABLE, PLENTY);
    assertThat(verdict.files()).isEqualTo(1);

    after(DiskState.FULL, PLENTY);

    assertThat(verdict.files()).isEqualTo(DiskVerdict.SEVERAL);
  }
}
