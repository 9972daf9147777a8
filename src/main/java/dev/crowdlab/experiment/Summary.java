package dev.crowdlab.experiment;

import java.time.Duration;
import java.util.List;

/**
 * What many measured times come to.
 *
 * <p>A percentile is by nearest rank: the p-th is the smallest measured value that at least p % of
 * the values do not exceed, the one of rank ⌈p/100 · n⌉. That is definition 1 in Hyndman and Fan,
 * "Sample Quantiles in Statistical Packages", The American Statistician 50(4), 1996, the inverse of
 * the empirical distribution function: it is always a value that was measured, and with n values no
 * percentile above 100 · (1 - 1/n) differs from the greatest.
 *
 * @param n how many there are, at least one
 */
public record Summary(int n, Duration p50, Duration p95, Duration p99, Duration max) {

  /**
   * Sums up.
   *
   * @throws IllegalArgumentException when there is no value
   */
  public static Summary of(List<Duration> values) {
    if (values.isEmpty()) {
      throw new IllegalArgumentException("nothing was measured");
    }
    List<Duration> sorted = values.stream().sorted().toList();
    return new Summary(
        sorted.size(),
        percentile(sorted, 50),
        percentile(sorted, 95),
        percentile(sorted, 99),
        sorted.getLast());
  }

  private static Duration percentile(List<Duration> sorted, int percent) {
    // In whole numbers: 0.95 * 100 is a little more than 95 in binary.
    int rank = (sorted.size() * percent + 99) / 100;
    return sorted.get(Math.max(1, rank) - 1);
  }
}
