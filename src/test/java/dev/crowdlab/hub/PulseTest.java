package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PulseTest {

  private static long millis(long millis) {
    return Duration.ofMillis(millis).toNanos();
  }

  private final Pulse pulse = new Pulse(DetectorSettings.defaults().self(), 0);

  @ParameterizedTest
  @CsvSource({
    // the look comes after so long: so much was a pause, and is it a stall
    "50,    0,    false",
    "150,   0,    false",
    "151,   101,  false",
    "550,   500,  false",
    "551,   501,  true",
    "30050, 30000, true",
  })
  void whatComesLateWasHeldUp(long after, long paused, boolean stall) {
    Duration found = pulse.beat(millis(after));

    assertThat(found).isEqualTo(Duration.ofMillis(paused));
    assertThat(pulse.isStall(found)).isEqualTo(stall);
  }

  @Test
  void theTimeOfTheLookItselfIsNoPause() {
    pulse.beat(millis(50));
    pulse.rest(millis(400));

    assertThat(pulse.beat(millis(450))).isZero();
  }

  @Test
  void whileALookIsOverdueNobodyIsJudged() {
    assertThat(pulse.steady(millis(150))).isTrue();
    assertThat(pulse.steady(millis(151))).isFalse();

    pulse.beat(millis(151));

    assertThat(pulse.steady(millis(152))).isTrue();
  }
}
