package dev.crowdlab.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SummaryTest {

  /** Ranks by the definition, counted by hand. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 1",
    "2, 1, 2, 2, 2",
    "5, 3, 5, 5, 5",
    "10, 5, 10, 10, 10",
    "19, 10, 19, 19, 19",
    "20, 10, 19, 20, 20",
    "100, 50, 95, 99, 100",
    "101, 51, 96, 100, 101",
    "200, 100, 190, 198, 200"
  })
  void percentilesAreByNearestRank(int n, long p50, long p95, long p99, long max) {
    assertThat(Summary.of(shuffled(n)))
        .isEqualTo(
            new Summary(
                n,
                Duration.ofMillis(p50),
                Duration.ofMillis(p95),
                Duration.ofMillis(p99),
                Duration.ofMillis(max)));
  }

  @Test
  void aPercentileIsTheSmallestValueThatEnoughValuesDoNotExceed() {
    Random random = new Random(7);
    for (int round = 0; round < 200; round++) {
      List<Duration> values =
          random.longs(1 + random.nextInt(60), 0, 30).mapToObj(Duration::ofMillis).toList();
      Summary summary = Summary.of(values);
      assertThat(share(values, summary.p95())).isGreaterThanOrEqualTo(95);
      assertThat(share(values, summary.p95().minusNanos(1))).isLessThan(95);
      assertThat(values).contains(summary.p50(), summary.p95(), summary.p99(), summary.max());
    }
  }

  @Test
  void nothingHasNoPercentile() {
    assertThatIllegalArgumentException().isThrownBy(() -> Summary.of(List.of()));
  }

  private static double share(List<Duration> values, Duration limit) {
    return 100.0 * values.stream().filter(v -> v.compareTo(limit) <= 0).count() / values.size();
  }

  private static List<Duration> shuffled(int n) {
    List<Duration> values =
        new ArrayList<>(LongStream.rangeClosed(1, n).mapToObj(Duration::ofMillis).toList());
    Collections.shuffle(values, new Random(n));
    return values;
  }
}
