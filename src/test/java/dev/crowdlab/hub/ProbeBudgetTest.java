package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ProbeBudgetTest {

  private static final long SECOND = 1_000_000_000L;

  @Test
  void aDeadMachineCostsNothing() {
    ProbeBudget budget = new ProbeBudget(0);

    assertThat(budget.allows(0)).isTrue();
    assertThat(budget.allows(0)).isTrue();
  }

  @Test
  void whatIsSpentComesBackInTime() {
    ProbeBudget budget = new ProbeBudget(0);
    for (int i = 0; i < ProbeBudget.CAPACITY; i++) {
      budget.spend(0);
    }

    assertThat(budget.allows(3 * SECOND)).isFalse();
    assertThat(budget.allows(4 * SECOND)).isTrue();
  }

  @Test
  void whateverHappensOpensshNeverComesToFifteenSecondsOfPenalty() {
    for (long seed = 0; seed < 50; seed++) {
      Random random = new Random(seed);
      ProbeBudget budget = new ProbeBudget(0);
      long now = 0;
      double penalty = 0;
      double highest = 0;
      for (int i = 0; i < 20_000; i++) {
        long step = random.nextLong(SECOND / 4);
        now += step;
        penalty = Math.max(0, penalty - step / (double) SECOND);
        if (budget.allows(now)) {
          // The whole round was under way before its first answer came.
          for (int probe = 0; probe < ProbeBudget.CAPACITY; probe++) {
            budget.spend(now);
            penalty += 1;
          }
        }
        highest = Math.max(highest, penalty);
      }
      assertThat(highest).as("seed %d", seed).isLessThan(15);
    }
  }
}
