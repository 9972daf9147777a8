package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ProbeBudgetTest {

  private static final long SECOND = 1_000_000_000L;

  /** What OpenSSH refuses from (PerSourcePenalties min:15s), in seconds. */
  private static final double REFUSED_FROM = 15;

  private final ProbeBudget budget = new ProbeBudget(0);

  private int takeAll(long now) {
    int taken = 0;
    while (budget.take(now)) {
      taken++;
    }
    return taken;
  }

  @Test
  void aDeadMachineCostsNothing() {
    for (int i = 0; i < 1_000; i++) {
      assertThat(budget.take(0)).isTrue();
      budget.free();
    }
  }

  @Test
  void probesUnderWayMayAllBeAnswered() {
    assertThat(takeAll(0)).isEqualTo(ProbeBudget.MOST);
  }

  @Test
  void whatIsSpentComesBackInTime() {
    int taken = takeAll(0);
    for (int i = 0; i < taken; i++) {
      budget.spent(0);
    }

    assertThat(budget.take(SECOND)).isFalse();
    assertThat(budget.take(2 * SECOND)).isTrue();
  }

  @Test
  void aLoginThatAHungMachineDidNotServeDoesNotRunOff() {
    int taken = takeAll(0);
    for (int i = 0; i < taken; i++) {
      budget.unserved();
    }
    assertThat(budget.take(3_600 * SECOND)).isFalse();

    budget.heard(3_600 * SECOND);

    assertThat(budget.take(3_600 * SECOND)).isFalse();
    assertThat(budget.take(3_602 * SECOND)).isTrue();
  }

  @Test
  void whateverHappensOpensshNeverComesToWhereItRefuses() {
    for (long seed = 0; seed < 200; seed++) {
      assertThat(highestPenalty(new Random(seed))).as("seed %d", seed).isLessThan(REFUSED_FROM);
    }
  }

  /**
   * A prober without patience before an sshd that hangs now and then, as OpenSSH counts: a second
   * for each connection, when its turn came.
   */
  private static double highestPenalty(Random random) {
    ProbeBudget budget = new ProbeBudget(0);
    Deque<Boolean> underWay = new ArrayDeque<>();
    long now = 0;
    double penalty = 0;
    double highest = 0;
    int waiting = 0;
    boolean hangs = false;
    for (int i = 0; i < 20_000; i++) {
      long step = random.nextLong(SECOND / 4);
      now += step;
      penalty = Math.max(0, penalty - step / (double) SECOND);
      if (random.nextInt(200) == 0) {
        hangs = !hangs;
      }
      if (!hangs) {
        penalty += waiting;
        if (waiting > 0) {
          budget.heard(now);
        }
        waiting = 0;
      }
      for (int wanted = random.nextInt(20); wanted > 0 && budget.take(now); wanted--) {
        underWay.add(true);
      }
      for (int ended = random.nextInt(20); ended > 0 && !underWay.isEmpty(); ended--) {
        underWay.remove();
        switch (random.nextInt(3)) {
          case 0 -> budget.free();
          case 1 -> {
            budget.spent(now);
            penalty += 1;
          }
          default -> {
            if (hangs) {
              budget.unserved();
              waiting++;
            } else {
              budget.spent(now);
              penalty += 1;
            }
          }
        }
      }
      highest = Math.max(highest, penalty);
    }
    return highest;
  }
}
