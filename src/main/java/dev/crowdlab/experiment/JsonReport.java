package dev.crowdlab.experiment;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crowdlab.core.Times;
import dev.crowdlab.experiment.Trial.Outcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Map;

/** All of the results, for programs. Times are in seconds. */
final class JsonReport {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private JsonReport() {}

  static String of(Results results) {
    ObjectNode root = JSON.createObjectNode();
    root.put("began", Times.format(results.began()));
    root.put("runs", results.runs());
    root.put("percentiles", "nearest rank: Hyndman and Fan 1996, definition 1");
    ObjectNode machine = root.putObject("machine");
    results.machine().forEach(machine::put);
    ArrayNode series = root.putArray("series");
    for (Comparison.Series each : results.comparison().series()) {
      ObjectNode node = series.addObject();
      node.put("name", each.name());
      summaries(node.putObject("steps"), each.steps());
      summaries(node.putObject("whole"), each.whole());
    }
    ArrayNode samples = root.putArray("samples");
    results.samples().forEach(sample -> sample(samples.addObject(), sample));
    ArrayNode outcomes = root.putArray("outcomes");
    results.outcomes().forEach(outcome -> outcome(outcomes.addObject(), outcome));
    try {
      return JSON.writeValueAsString(root) + "\n";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void summaries(ObjectNode node, Map<String, Summary> summaries) {
    summaries.forEach(
        (name, sum) -> {
          ObjectNode each = node.putObject(name);
          each.put("n", sum.n());
          each.put("p50", seconds(sum.p50()));
          each.put("p95", seconds(sum.p95()));
          each.put("p99", seconds(sum.p99()));
          each.put("max", seconds(sum.max()));
        });
  }

  private static void sample(ObjectNode node, Sample sample) {
    node.put("series", sample.series());
    node.put("run", sample.run());
    node.put("team", sample.team());
    node.put("cause", sample.cause());
    node.put("from", sample.from());
    node.put("to", sample.to());
    ObjectNode laps = node.putObject("steps");
    sample.laps().forEach(lap -> laps.put(lap.step(), seconds(lap.took())));
    node.put("total", seconds(sample.total()));
    Duration answered = sample.answered();
    if (answered != null) {
      node.put("answered", seconds(answered));
    }
  }

  private static void outcome(ObjectNode node, Outcome outcome) {
    node.put("fault", outcome.fault());
    node.put("run", outcome.run());
    node.put("vm", outcome.vm());
    node.put("expected", outcome.expectation());
    ArrayNode unmet = node.putArray("unmet");
    outcome.unmet().forEach(unmet::add);
    ArrayNode breaches = node.putArray("promisesBroken");
    outcome.breaches().forEach(breach -> breaches.add(breach.toString()));
    ObjectNode student = node.putObject("student");
    outcome
        .student()
        .forEach(
            (way, figures) -> {
              ObjectNode each = student.putObject(way.toString());
              each.put("requests", figures.requests());
              each.put("right", figures.right());
              each.put("wrong", figures.wrong());
              each.put("serverErrors", figures.serverErrors());
              each.put("otherStatuses", figures.otherStatuses());
              each.put("refused", figures.refused());
              each.put("noAnswer", figures.unanswered());
              each.put("longestWait", seconds(figures.longestWait()));
              each.put("longestSilence", seconds(figures.longestSilence()));
            });
    node.put("failuresAfterDetection", outcome.failuresAfterDetection());
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }
}
