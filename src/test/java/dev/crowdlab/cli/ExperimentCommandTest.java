package dev.crowdlab.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class ExperimentCommandTest {

  private final StringWriter out = new StringWriter();
  private final StringWriter errors = new StringWriter();

  @Test
  void itsHelpNamesEveryWayToInjectAFault() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString())
        .contains("--fault-command", "--undo-command", "{vm}", "--runs", "--out", "--kubeconfig");
  }

  @ParameterizedTest
  @CsvSource({
    "--bound=never, not a duration",
    "--expect=HOPE, MOVES",
    "--runs=many, is not an int",
    "--no-such=1, Unknown option"
  })
  void aWrongWordIsNamed(String word, String told) {
    assertThat(run("--team", "team.yaml", word)).isEqualTo(2);
    assertThat(errors.toString()).contains(told);
  }

  private int run(String... words) {
    return new CommandLine(new ExperimentCommand())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(errors))
        .execute(words);
  }
}
