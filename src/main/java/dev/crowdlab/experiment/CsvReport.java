package dev.crowdlab.experiment;

import dev.crowdlab.experiment.Sample.Lap;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Every measured time, a line each (RFC 4180): what a spreadsheet or a statistician wants. */
final class CsvReport {

  private static final String HEAD = "series,run,team,cause,from,to,step,seconds\r\n";

  private CsvReport() {}

  static String of(List<Sample> samples) {
    return samples.stream().flatMap(CsvReport::lines).collect(Collectors.joining("", HEAD, ""));
  }

  private static Stream<String> lines(Sample sample) {
    List<Lap> all = new ArrayList<>(sample.laps());
    all.add(new Lap(Comparison.TOTAL, sample.total()));
    Duration answered = sample.answered();
    if (answered != null) {
      all.add(new Lap(Comparison.ANSWERED, answered));
    }
    return all.stream()
        .map(
            lap ->
                Stream.of(
                            sample.series(),
                            Integer.toString(sample.run()),
                            sample.team(),
                            sample.cause(),
                            sample.from(),
                            sample.to(),
                            lap.step(),
                            TextReport.seconds(lap.took()))
                        .map(CsvReport::quoted)
                        .collect(Collectors.joining(","))
                    + "\r\n");
  }

  private static String quoted(@Nullable String value) {
    if (value == null) {
      return "";
    }
    return value.matches("[^\",\r\n]*") ? value : '"' + value.replace("\"", "\"\"") + '"';
  }
}
