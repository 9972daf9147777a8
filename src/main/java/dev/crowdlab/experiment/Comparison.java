package dev.crowdlab.experiment;

import dev.crowdlab.experiment.Sample.Lap;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The paper's comparison: creation and each fault's recovery, step by step and in total, detection
 * apart from the rest.
 *
 * @param series by name, the creation first
 */
public record Comparison(List<Series> series) {

  /** All but the detection. */
  public static final String WORK = "after detection";

  /** From the start to Ready. */
  public static final String TOTAL = "total";

  /** From the start to a student's first right answer. */
  public static final String ANSWERED = "answered";

  /**
   * The creations, or one fault's recoveries.
   *
   * @param steps each step's times, in the steps' order
   * @param whole {@link #WORK} (recoveries only), {@link #TOTAL}, {@link #ANSWERED} (when a student
   *     asked)
   */
  public record Series(String name, Map<String, Summary> steps, Map<String, Summary> whole) {

    boolean isCreation() {
      return name.equals(Sample.CREATION);
    }
  }

  public static Comparison of(List<Sample> samples) {
    Set<String> names = new LinkedHashSet<>();
    Stream.concat(
            samples.stream().filter(Sample::isCreation),
            samples.stream().filter(sample -> !sample.isCreation()))
        .map(Sample::series)
        .forEach(names::add);
    return new Comparison(
        names.stream()
            .map(
                name ->
                    series(name, samples.stream().filter(s -> s.series().equals(name)).toList()))
            .toList());
  }

  private static Series series(String name, List<Sample> samples) {
    Map<String, List<Duration>> steps = new LinkedHashMap<>();
    // Ready is the last of all, also where one run had a step that another had not.
    for (Sample sample : samples) {
      sample.laps().stream()
          .filter(lap -> !lap.step().equals(Sample.READY))
          .forEach(lap -> add(steps, lap));
    }
    samples.forEach(
        sample ->
            sample.laps().stream()
                .filter(lap -> lap.step().equals(Sample.READY))
                .forEach(lap -> add(steps, lap)));
    Map<String, List<Duration>> whole = new LinkedHashMap<>();
    for (Sample sample : samples) {
      if (!sample.isCreation()) {
        add(whole, new Lap(WORK, sample.work()));
      }
      add(whole, new Lap(TOTAL, sample.total()));
      Duration answered = sample.answered();
      if (answered != null) {
        add(whole, new Lap(ANSWERED, answered));
      }
    }
    return new Series(name, summed(steps), summed(whole));
  }

  private static void add(Map<String, List<Duration>> table, Lap lap) {
    table.computeIfAbsent(lap.step(), step -> new ArrayList<>()).add(lap.took());
  }

  private static Map<String, Summary> summed(Map<String, List<Duration>> table) {
    Map<String, Summary> sums = new LinkedHashMap<>();
    table.forEach((step, times) -> sums.put(step, Summary.of(times)));
    return sums;
  }
}
