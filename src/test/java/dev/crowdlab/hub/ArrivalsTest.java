package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crowdlab.hub.DetectorSettings.Suspicion;
import java.time.Duration;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArrivalsTest {

  private static final Duration FAST = Duration.ofMillis(200);
  private static final Duration SLOW = Duration.ofSeconds(5);
  private static final Suspicion SETTINGS = DetectorSettings.defaults().suspicion();

  private final Arrivals arrivals = new Arrivals(SETTINGS, FAST);
  private long now = 1_000_000_000L;

  private void beat(long afterMillis) {
    now += Duration.ofMillis(afterMillis).toNanos();
    arrivals.beat(now, FAST);
  }

  @ParameterizedTest
  @CsvSource({
    // known values of the normal distribution's upper tail
    "0.0,      0.5",
    "1.0,      0.158655253931",
    "1.959964, 0.025",
    "3.0,      0.001349898032",
    "4.0,      0.0000316712418",
    "5.0,      0.000000286651572",
    "6.0,      0.000000000986587645",
    "-1.0,     0.841344746069",
  })
  void theTailOfTheNormalDistributionIsKnown(double z, double probability) {
    assertThat(Arrivals.later(z)).isEqualTo(probability, Offset.offset(probability / 500));
  }

  @ParameterizedTest
  @CsvSource({"1, 1.28155", "3, 3.09023", "8, 5.61200", "12, 7.03448"})
  void aLevelIsANumberOfDeviations(double phi, double deviations) {
    assertThat(Arrivals.deviations(phi)).isEqualTo(deviations, within(0.01));
  }

  @Test
  void anAgentThatKeepsTimeIsSuspectedAtTheFloor() {
    for (int i = 0; i < 300; i++) {
      beat(200);
    }

    assertThat(arrivals.bound(now)).isEqualTo(Duration.ofMillis(450));
  }

  @Test
  void beforeAnythingWasSeenTheExpectedTimeIsTakenGiveOrTakeAQuarter() {
    assertThat(arrivals.bound(now).toMillis()).isBetween(450L, 500L);
  }

  @Test
  void anAgentThatIsOftenLateGetsMoreTime() {
    Random random = new Random(1);
    for (int i = 0; i < 300; i++) {
      beat(200 + (random.nextInt(5) == 0 ? 500 : 0));
    }

    assertThat(arrivals.bound(now)).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(2));
  }

  @Test
  void itIsForgottenThatAnAgentWasLate() {
    for (int i = 0; i < 20; i++) {
      beat(900);
    }
    Duration late = arrivals.bound(now);
    for (int i = 0; i < SETTINGS.window(); i++) {
      beat(200);
    }

    assertThat(late).isGreaterThan(Duration.ofMillis(900));
    assertThat(arrivals.bound(now)).isEqualTo(Duration.ofMillis(450));
  }

  @Test
  void theBoundIsWherePhiReachesItsLevel() {
    Random random = new Random(2);
    for (int i = 0; i < 300; i++) {
      beat(150 + random.nextInt(250));
    }

    assertThat(arrivals.bound(now)).isGreaterThan(Duration.ofMillis(450));
    assertThat(arrivals.phi(arrivals.bound(now))).isEqualTo(SETTINGS.phi(), within(0.01));
  }

  @Test
  void phiGrowsWithTheSilence() {
    Random random = new Random(3);
    for (int i = 0; i < 100; i++) {
      beat(100 + random.nextInt(400));
    }
    double before = -1;
    for (int millis = 0; millis < 2_000; millis += 10) {
      double phi = arrivals.phi(Duration.ofMillis(millis));
      assertThat(phi).as("after %d ms", millis).isGreaterThanOrEqualTo(before);
      before = phi;
    }
  }

  @Test
  void whateverTheHeartbeatsTheBoundKeepsBetweenFloorAndCeiling() {
    for (long seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      Arrivals some = new Arrivals(SETTINGS, SLOW);
      long at = random.nextLong(1_000_000_000_000L);
      for (int i = 0; i < 500; i++) {
        Duration told = random.nextInt(50) == 0 ? SLOW : FAST;
        at += random.nextLong(Duration.ofSeconds(1 + random.nextInt(20)).toNanos());
        switch (random.nextInt(20)) {
          case 0 -> some.skip(at);
          case 1 -> some.pausedFor(Duration.ofMillis(random.nextInt(5_000)), at);
          default -> some.beat(at, told);
        }
        Duration least = Duration.ofMillis(450);
        Duration most = Duration.ofSeconds(20);
        assertThat(some.bound(at)).as("seed %d, beat %d", seed, i).isBetween(least, most);
      }
    }
  }

  @Test
  void aSlowAgentHasMoreThanTwoOfItsHeartbeats() {
    arrivals.beat(now, SLOW);

    assertThat(arrivals.bound(now).toMillis()).isEqualTo(12_015);
  }

  @Test
  void whoIsToldToBeatFasterHasAsLongForTheFirstAsForAnyAtMost() {
    arrivals.beat(now, SLOW);
    long silentSince = now;
    now += Duration.ofSeconds(3).toNanos();

    arrivals.told(now, FAST);

    assertThat(arrivals.bound(silentSince)).isEqualTo(Duration.ofSeconds(5));
    beat(10);
    assertThat(arrivals.bound(now).toMillis()).isBetween(450L, 500L);
  }

  @Test
  void ourOwnPauseDoesNotMakeAnAgentLookLate() {
    for (int i = 0; i < 50; i++) {
      beat(200);
    }
    for (int i = 0; i < 10; i++) {
      now += Duration.ofMillis(400).toNanos();
      arrivals.pausedFor(Duration.ofMillis(400), now);
      beat(200);
    }

    assertThat(arrivals.bound(now)).isEqualTo(Duration.ofMillis(450));
  }

  @Test
  void afterAStallTheNextHeartbeatTellsNothing() {
    for (int i = 0; i < 50; i++) {
      beat(200);
    }
    arrivals.skip(now);
    beat(30_000);

    assertThat(arrivals.bound(now)).isEqualTo(Duration.ofMillis(450));
  }
}
