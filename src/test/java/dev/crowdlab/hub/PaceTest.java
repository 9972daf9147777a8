package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.hub.DetectorSettings.Heartbeats;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PaceTest {

  private static final Heartbeats SETTINGS = DetectorSettings.defaults().heartbeats();
  private static final Pace CONFIGURED = new Pace(SETTINGS, 0);

  @ParameterizedTest
  @CsvSource({
    // agents with teams, others: time between their heartbeats
    "0,     0,     200,   5000",
    "10,    100,   200,   5000",
    "400,   500,   200,   5000",
    // idle ones are slowed down first
    "400,   5000,  200,   29802",
    // then all
    "1000,  5000,  610,   30000",
    "5000,  0,     4547,  30000",
    "0,     20000, 200,   19073",
  })
  void manyAgentsBeatMoreSlowly(int fast, int slow, long fastMillis, long slowMillis) {
    Pace pace = CONFIGURED.fitted(fast, slow);

    assertThat(pace.beat(true)).isEqualTo(Duration.ofMillis(fastMillis));
    assertThat(pace.beat(false)).isEqualTo(Duration.ofMillis(slowMillis));
  }

  @Test
  void heartbeatsStayBelowTheirShareOfACoreHoweverAgentsComeAndGo() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      Pace pace = CONFIGURED;
      for (int i = 0; i < 100; i++) {
        int fast = random.nextInt(1 + random.nextInt(6_000));
        int slow = random.nextInt(1 + random.nextInt(20_000));
        pace = pace.fitted(fast, slow);

        assertThat(pace.coreShare(fast, slow))
            .as("seed %d: %d with teams, %d without", seed, fast, slow)
            .isLessThanOrEqualTo(SETTINGS.coreShare());
      }
    }
  }

  @Test
  void oneAgentMoreOrLessTellsTheOthersNothingNew() {
    int atTheBound = 0;
    while (CONFIGURED.fitted(atTheBound, 0).equals(CONFIGURED)) {
      atTheBound++;
    }
    Pace slower = CONFIGURED.fitted(atTheBound, 0);

    assertThat(slower.fitted(atTheBound - 1, 0)).isEqualTo(slower);
    assertThat(slower.fitted(atTheBound / 2, 0)).isEqualTo(CONFIGURED);
  }

  @Test
  void noHeartbeatIsRarerThanTheSlowest() {
    Pace pace = CONFIGURED.fitted(1_000_000, 1_000_000);

    assertThat(pace.beat(true)).isEqualTo(SETTINGS.slowest());
    assertThat(pace.beat(false)).isEqualTo(SETTINGS.slowest());
  }
}
