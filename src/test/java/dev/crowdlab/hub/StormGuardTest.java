package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.hub.Detector.Verdict;
import dev.crowdlab.hub.VmHealth.Hold;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StormGuardTest {

  private static final long SECOND = 1_000_000_000L;
  private static final DetectorSettings.Storm SETTINGS = DetectorSettings.defaults().storm();

  private final StormGuard guard = new StormGuard(SETTINGS);

  private void there(int machines) {
    for (int i = 0; i < machines; i++) {
      guard.decided("vm-" + i, Verdict.ALIVE, false, 0);
    }
  }

  private void doubt(int from, int to, long now) {
    for (int i = from; i < to; i++) {
      guard.decided("vm-" + i, Verdict.SUSPECT, false, now);
    }
  }

  @ParameterizedTest
  @CsvSource({
    // machines, of them silent: whether the first of those may be lost
    "1,   1,  true",
    "2,   2,  true",
    "3,   1,  true",
    "3,   2,  true",
    "3,   3,  false",
    "10,  3,  true",
    "10,  4,  false",
    "100, 30, true",
    "100, 31, false",
  })
  void aStormIsAShareOfAllAndMoreThanAFew(int machines, int silent, boolean mayLose) {
    there(machines);
    doubt(0, silent, 1);

    assertThat(guard.mayLose("vm-0", 2) == Hold.NONE).isEqualTo(mayLose);
  }

  @Test
  void whoseSshdAnswersHasNotVanished() {
    there(10);
    doubt(0, 10, 1);
    for (int i = 1; i < 10; i++) {
      guard.decided("vm-" + i, Verdict.SUSPECT, true, 2);
    }

    assertThat(guard.mayLose("vm-0", 3)).isEqualTo(Hold.NONE);
  }

  @Test
  void lossesOfTheLastSecondsCountAndOlderOnesDoNot() {
    there(10);
    for (int i = 0; i < 3; i++) {
      guard.decided("vm-" + i, Verdict.SUSPECT, false, 0);
      assertThat(guard.mayLose("vm-" + i, 0)).isEqualTo(Hold.NONE);
      guard.decided("vm-" + i, Verdict.VM_LOST, false, 0);
    }
    doubt(3, 4, 4 * SECOND);

    assertThat(guard.mayLose("vm-3", 4 * SECOND)).isNotEqualTo(Hold.NONE);

    guard.decided("vm-3", Verdict.ALIVE, false, 5 * SECOND);
    doubt(3, 4, 6 * SECOND);
    assertThat(guard.mayLose("vm-3", 6 * SECOND)).isEqualTo(Hold.NONE);
  }

  @Test
  void inAStormOneAtATimeHasItsTurnInOrder() {
    there(3);
    doubt(0, 3, 0);
    for (int i = 0; i < 3; i++) {
      assertThat(guard.mayLose("vm-" + i, i)).isNotEqualTo(Hold.NONE);
    }

    assertThat(guard.mayProbe("vm-1", 10)).isFalse();
    assertThat(guard.mayProbe("vm-0", 10)).isTrue();
    assertThat(guard.mayProbe("vm-1", 20)).as("the first is at it").isFalse();
    assertThat(guard.mayLose("vm-0", 30)).as("confirmed").isEqualTo(Hold.NONE);
    guard.decided("vm-0", Verdict.VM_LOST, false, 30);

    assertThat(guard.mayProbe("vm-1", 40)).as("not at once").isFalse();
    assertThat(guard.mayProbe("vm-1", SETTINGS.every().toNanos() + 10)).isTrue();
  }

  @Test
  void whoIsHeardAgainLeavesItsTurnToTheNext() {
    there(3);
    doubt(0, 3, 0);
    for (int i = 0; i < 3; i++) {
      guard.mayLose("vm-" + i, i);
    }
    guard.mayProbe("vm-0", 10);

    guard.decided("vm-0", Verdict.ALIVE, false, SECOND);

    assertThat(guard.mayProbe("vm-1", SECOND)).isTrue();
    assertThat(guard.held()).isEqualTo(2);
  }

  @Test
  void whoDoesNotUseItsTurnComesLast() {
    there(3);
    doubt(0, 3, 0);
    for (int i = 0; i < 3; i++) {
      guard.mayLose("vm-" + i, i);
    }
    guard.mayProbe("vm-0", 10);

    assertThat(guard.mayProbe("vm-1", 11 * SECOND)).isTrue();
    assertThat(guard.mayProbe("vm-0", 12 * SECOND)).isFalse();
  }

  @Test
  void aStormIsSaidOnAFewMachinesOnly() {
    there(100);
    doubt(0, 100, 0);
    List<Hold> holds = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      holds.add(guard.mayLose("vm-" + i, i));
    }

    assertThat(holds).filteredOn(Hold.STORM_TO_SAY::equals).hasSize(5);
    assertThat(holds).doesNotContain(Hold.NONE);
    assertThat(guard.storms()).isEqualTo(1);
  }

  @Test
  void whateverHappensInAStormLossesComeAtABoundedRateAndAllComeInTime() {
    for (long seed = 0; seed < 50; seed++) {
      Random random = new Random(seed);
      int machines = 10 + random.nextInt(90);
      StormGuard some = new StormGuard(SETTINGS);
      Set<Integer> dead = new HashSet<>();
      for (int i = 0; i < machines; i++) {
        some.decided("vm-" + i, Verdict.ALIVE, false, 0);
        if (random.nextInt(10) < 9) {
          dead.add(i);
        }
      }
      dead.forEach(i -> some.decided("vm-" + i, Verdict.SUSPECT, false, 1));
      Set<Integer> lost = new HashSet<>();
      long lastLossAt = -SECOND;
      long now = 1;
      while (lost.size() < dead.size() && now < 600 * SECOND) {
        now += Duration.ofMillis(50).toNanos();
        for (int i : dead) {
          if (!lost.contains(i)
              && some.mayProbe("vm-" + i, now)
              && some.mayLose("vm-" + i, now) == Hold.NONE) {
            some.decided("vm-" + i, Verdict.VM_LOST, false, now);
            lost.add(i);
            assertThat(now - lastLossAt)
                .as("seed %d", seed)
                .isGreaterThanOrEqualTo(SETTINGS.every().toNanos());
            lastLossAt = now;
          }
        }
      }

      assertThat(lost).as("seed %d", seed).isEqualTo(dead);
      assertThat(now).isLessThan((dead.size() + 10) * SETTINGS.every().toNanos() * 2);
    }
  }
}
