package dev.crowdlab.experiment;

import dev.crowdlab.experiment.Comparison.Series;
import dev.crowdlab.experiment.Trial.Outcome;
import dev.crowdlab.oracle.Exchange.Way;
import dev.crowdlab.oracle.Figures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The comparison as a person reads it in a terminal, or in the docs: Markdown tables. */
final class TextReport {

  private static final String HEAD =
      """
      | | n | p50 | p95 | p99 | max | p50 to creation's |
      |---|---|---|---|---|---|---|
      """;
  private static final String OUTCOMES =
      """

      | fault | expected | runs | as expected | promises broken | requests | 5xx | refused | no answer \
      | other | wrong | longest without an answer | failed from 250 ms after detection on |
      |---|---|---|---|---|---|---|---|---|---|---|---|---|
      """;

  private final StringBuilder text = new StringBuilder();

  private TextReport() {}

  static String of(Results results) {
    TextReport report = new TextReport();
    report.write(results);
    return report.text.toString();
  }

  private void write(Results results) {
    Comparison comparison = results.comparison();
    Optional<Series> creation = comparison.series().stream().filter(Series::isCreation).findFirst();
    text.append("Times in seconds; percentiles by nearest rank; each step counts from the end of")
        .append(" the one before.\n");
    for (Series series : comparison.series()) {
      table(series, creation);
    }
    outcomes(results.outcomes());
    results
        .machine()
        .forEach((key, value) -> text.append(key).append(": ").append(value).append("\n"));
  }

  private void table(Series series, Optional<Series> creation) {
    String since =
        series.isCreation()
            ? "creation, from the operator's first sight of the team"
            : "recovery from " + series.name() + ", from the fault's injection";
    text.append('\n').append(since).append("\n\n").append(HEAD);
    series.steps().forEach((step, sum) -> row(step, sum, ratio(step, sum, series, creation, true)));
    series
        .whole()
        .forEach((part, sum) -> row(part, sum, ratio(part, sum, series, creation, false)));
  }

  /** What of the creation a part of a recovery compares with. */
  private static String ratio(
      String part, Summary sum, Series series, Optional<Series> creation, boolean step) {
    if (series.isCreation() || creation.isEmpty()) {
      return "";
    }
    Series other = creation.get();
    Summary its =
        step
            ? other.steps().get(part)
            : other.whole().get(part.equals(Comparison.WORK) ? Comparison.TOTAL : part);
    if (its == null || its.p50().isZero()) {
      return "";
    }
    return String.format(Locale.ROOT, "%.2f", (double) sum.p50().toNanos() / its.p50().toNanos());
  }

  private void row(String name, Summary sum, String ratio) {
    text.append(
        "| %s | %d | %s | %s | %s | %s | %s |%n"
            .formatted(
                name,
                sum.n(),
                seconds(sum.p50()),
                seconds(sum.p95()),
                seconds(sum.p99()),
                seconds(sum.max()),
                ratio));
  }

  private void outcomes(List<Outcome> outcomes) {
    text.append(OUTCOMES);
    Map<String, List<Outcome>> faults = new LinkedHashMap<>();
    outcomes.forEach(
        outcome -> faults.computeIfAbsent(outcome.fault(), name -> new ArrayList<>()).add(outcome));
    faults.forEach(this::outcomes);
    text.append('\n');
  }

  private void outcomes(String fault, List<Outcome> runs) {
    // A WebSocket is told to come again while a team moves: its figures are in the JSON.
    List<Figures> held =
        runs.stream()
            .flatMap(run -> run.student().entrySet().stream())
            .filter(entry -> entry.getKey() != Way.WEBSOCKET)
            .map(Map.Entry::getValue)
            .toList();
    text.append(
        "| %s | %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %s | %d |%n"
            .formatted(
                fault,
                runs.getFirst().expectation(),
                runs.size(),
                runs.stream().filter(run -> run.unmet().isEmpty()).count(),
                runs.stream().mapToInt(run -> run.breaches().size()).sum(),
                held.stream().mapToInt(Figures::requests).sum(),
                held.stream().mapToInt(Figures::serverErrors).sum(),
                held.stream().mapToInt(Figures::refused).sum(),
                held.stream().mapToInt(Figures::unanswered).sum(),
                held.stream().mapToInt(Figures::otherStatuses).sum(),
                held.stream().mapToInt(Figures::wrong).sum(),
                seconds(
                    held.stream()
                        .map(Figures::longestSilence)
                        .max(Duration::compareTo)
                        .orElse(Duration.ZERO)),
                runs.stream().mapToInt(Outcome::failuresAfterDetection).sum()));
  }

  static String seconds(Duration duration) {
    return String.format(Locale.ROOT, "%.3f", duration.toMillis() / 1000.0);
  }
}
