package dev.crowdlab.experiment;

import dev.crowdlab.experiment.Trial.Outcome;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All that an experiment measured and saw.
 *
 * @param runs of each fault
 * @param machine what it was run on, in words
 */
public record Results(
    Instant began,
    int runs,
    Map<String, String> machine,
    List<Sample> samples,
    List<Outcome> outcomes) {

  public Results {
    machine = new TreeMap<>(machine);
    samples = List.copyOf(samples);
    outcomes = List.copyOf(outcomes);
  }

  public Comparison comparison() {
    return Comparison.of(samples);
  }

  /** Whether every run was as expected and no promise was broken. */
  public boolean hold() {
    return outcomes.stream().allMatch(Outcome::holds);
  }
}
