package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class SparseTest {

  private static final long SECOND = 1_000_000_000L;

  private final Sparse sparse = new Sparse(Duration.ofSeconds(30));

  @Test
  void theFirstIsSaidAndThenOneInEachPeriodWithTheNumberOfThoseBetween() {
    long start = Long.MAX_VALUE - 5 * SECOND;
    assertThat(sparse.turn(start)).hasValue(0);
    for (int i = 1; i < 30; i++) {
      assertThat(sparse.turn(start + i * SECOND)).isEmpty();
    }

    assertThat(sparse.turn(start + 30 * SECOND)).hasValue(29);
    assertThat(sparse.turn(start + 31 * SECOND)).isEmpty();
    assertThat(sparse.turn(start + 200 * SECOND)).hasValue(1);
  }
}
