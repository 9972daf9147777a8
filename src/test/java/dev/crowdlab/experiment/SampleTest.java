package dev.crowdlab.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.crowdlab.api.Creation;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.experiment.Sample.Lap;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SampleTest {

  @Test
  void aCreationsStepsCountFromTheOneBefore() {
    Sample sample = Sample.ofCreation(1, "t", "alice", Statuses.creation(), null);

    assertThat(sample.laps())
        .containsExactly(
            lap("Chosen", 100),
            lap("Fenced", 150),
            lap("Attached", 350),
            lap("Started", 200),
            lap("Routed", 80),
            lap("Ready", 20));
    assertThat(sample.total()).isEqualTo(Duration.ofMillis(900));
    assertThat(sample.detection()).isZero();
    assertThat(sample.work()).isEqualTo(Duration.ofMillis(900));
  }

  @Test
  void aRecoveryCountsFromTheInjectionAndItsDetectionStandsApart() {
    Sample sample =
        Sample.ofRecovery(
            "power-cut",
            3,
            "t",
            Statuses.at(10_050),
            Statuses.recovery(RecoveryCause.VM_LOST, "alice", "bob", 2),
            Statuses.at(12_100));

    assertThat(sample.laps())
        .containsExactly(
            lap("Detected", 1_250),
            lap("Chosen", 50),
            lap("Fenced", 50),
            lap("Attached", 300),
            lap("Started", 200),
            lap("Routed", 50),
            lap("Ready", 50));
    assertThat(sample.total()).isEqualTo(Duration.ofMillis(1_950));
    assertThat(sample.detection()).isEqualTo(Duration.ofMillis(1_250));
    assertThat(sample.work()).isEqualTo(Duration.ofMillis(700));
    assertThat(sample.answered()).isEqualTo(Duration.ofMillis(2_050));
    assertThat(sample.cause()).isEqualTo("VmLost");
  }

  @Test
  void clocksThatContradictEachOtherAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                Sample.ofRecovery(
                    "power-cut",
                    1,
                    "t",
                    Statuses.at(11_301),
                    Statuses.recovery(RecoveryCause.VM_LOST, "alice", "bob", 2),
                    null))
        .withMessageContaining("clocks");
  }

  @Test
  void whatHasNotEndedIsNoSample() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                Sample.ofCreation(
                    1, "t", null, new Creation(Statuses.text(0), null, List.of()), null));
  }

  private static Lap lap(String step, long millis) {
    return new Lap(step, Duration.ofMillis(millis));
  }
}
