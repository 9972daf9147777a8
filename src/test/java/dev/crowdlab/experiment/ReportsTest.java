package dev.crowdlab.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.crowdlab.experiment.Sample.Lap;
import dev.crowdlab.experiment.Trial.Outcome;
import dev.crowdlab.oracle.Breach;
import dev.crowdlab.oracle.Exchange.Way;
import dev.crowdlab.oracle.Figures;
import java.awt.image.BufferedImage;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportsTest {

  private static final Results RESULTS =
      new Results(
          Statuses.START,
          2,
          Map.of("cores", "2"),
          List.of(
              creation(1, 400, 600),
              recovery(1, 1_200, 300, 500),
              creation(2, 500, 700),
              recovery(2, 1_000, 300, 400)),
          List.of(
              new Outcome(
                  "power-cut",
                  1,
                  "alice",
                  "moves, VmLost",
                  null,
                  List.of(),
                  List.of(),
                  Map.of(
                      Way.GET,
                      new Figures(
                          40, 38, 0, 1, 0, 0, 1, Duration.ofMillis(9), Duration.ofMillis(2_100))),
                  0),
              new Outcome(
                  "power-cut",
                  2,
                  "bob",
                  "moves, VmLost",
                  null,
                  List.of("it is on the same machine"),
                  List.of(new Breach(Breach.Kind.HOLE, "before \"1 a 3.\"")),
                  Map.of(),
                  0)));

  @TempDir private Path folder;
  private final StringWriter printed = new StringWriter();

  @BeforeEach
  void write() throws Exception {
    Reports.write(RESULTS, folder.resolve("new"), new PrintWriter(printed));
  }

  @Test
  void theTableComparesEachStepAndTheWholeWithTheCreation() {
    assertThat(printed.toString())
        .contains("| Attached | 2 | 0.400 | 0.500 | 0.500 | 0.500 |  |")
        .contains("| Detected | 2 | 1.000 | 1.200 | 1.200 | 1.200 |  |")
        .contains("| Attached | 2 | 0.300 | 0.300 | 0.300 | 0.300 | 0.75 |")
        .contains("| after detection | 2 | 0.700 | 0.800 | 0.800 | 0.800 | 0.70 |")
        .contains("| total | 2 | 1.700 | 2.000 | 2.000 | 2.000 | 1.70 |");
  }

  @Test
  void theTableCountsWhatWasNotAsExpectedAndWhatStudentsMet() {
    assertThat(printed.toString())
        .contains("| power-cut | moves, VmLost | 2 | 1 | 1 | 40 | 1 | 0 | 1 | 0 | 0 | 2.100 | 0 |");
  }

  @Test
  void everyMeasuredTimeIsALineOfTheCsv() throws Exception {
    assertThat(Files.readString(folder.resolve("new/samples.csv")))
        .startsWith("series,run,team,cause,from,to,step,seconds\r\n")
        .contains("creation,1,t,,,alice,Attached,0.400\r\n")
        .contains("power-cut,2,t,VmLost,alice,\"bo\"\"b\",Detected,1.000\r\n")
        .contains("power-cut,2,t,VmLost,alice,\"bo\"\"b\",total,1.700\r\n");
  }

  @Test
  void theJsonHasEverything() throws Exception {
    JsonNode json = new ObjectMapper().readTree(folder.resolve("new/results.json").toFile());

    assertThat(json.at("/series/1/whole/total/p50").asDouble()).isEqualTo(1.7);
    assertThat(json.at("/samples/0/steps/Attached").asDouble()).isEqualTo(0.4);
    assertThat(json.at("/outcomes/1/promisesBroken/0").asText())
        .isEqualTo("HOLE: before \"1 a 3.\"");
    assertThat(json.at("/outcomes/0/student/GET/longestSilence").asDouble()).isEqualTo(2.1);
    assertThat(json.at("/machine/cores").asText()).isEqualTo("2");
  }

  @Test
  void thePictureHasABarForTheCreationAndForEachFault() throws Exception {
    BufferedImage picture = ImageIO.read(folder.resolve("new/steps.png").toFile());

    assertThat(picture.getWidth()).isGreaterThan(1_000);
    assertThat(Plot.chart(RESULTS.comparison()).getSeriesMap().keySet())
        .containsExactly("Detected", "Attached", "Ready");
  }

  private static Sample creation(int run, long attached, long ready) {
    return new Sample(
        Sample.CREATION,
        run,
        "t",
        null,
        null,
        "alice",
        List.of(lap("Attached", attached), lap("Ready", ready)),
        null);
  }

  private static Sample recovery(int run, long detected, long attached, long ready) {
    return new Sample(
        "power-cut",
        run,
        "t",
        "VmLost",
        "alice",
        "bo\"b",
        List.of(lap("Detected", detected), lap("Attached", attached), lap("Ready", ready)),
        null);
  }

  private static Lap lap(String step, long millis) {
    return new Lap(step, Duration.ofMillis(millis));
  }
}
