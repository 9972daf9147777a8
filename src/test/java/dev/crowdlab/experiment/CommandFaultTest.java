package dev.crowdlab.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.experiment.Fault.FaultException;
import dev.crowdlab.experiment.Fault.Target;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandFaultTest {

  private static final Target TARGET = new Target("lab", "team-7", "alice $(id)");

  @Test
  void theMachinesNameIsTheLastWordOrStandsWhereItIsAskedFor() {
    assertThat(fault(List.of("cut"), 5).words(List.of("cut", "--now"), TARGET))
        .containsExactly("cut", "--now", "alice $(id)");
    assertThat(fault(List.of("cut"), 5).words(List.of("cut", "--vm={vm}", "{fault}"), TARGET))
        .containsExactly("cut", "--vm=alice $(id)", "power-cut");
  }

  @Test
  void aWordIsNeverReadByAShell(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("alice $(id)");

    new CommandFault(
            "power-cut",
            new Expectation.Stays(),
            List.of("touch", folder + "/{vm}"),
            List.of("rm", folder + "/{vm}"),
            Duration.ofSeconds(5))
        .inject(TARGET);

    assertThat(Files.exists(file)).isTrue();
  }

  @Test
  void aProgramThatFailsIsAFaultThatWasNotInjected() {
    assertThatThrownBy(() -> fault(List.of("false"), 5).inject(TARGET))
        .isInstanceOf(FaultException.class)
        .hasMessage("false ended with 1");
    assertThatThrownBy(() -> fault(List.of("/no/such/program"), 5).inject(TARGET))
        .isInstanceOf(FaultException.class)
        .hasMessageContaining("cannot be run");
  }

  @Test
  void aProgramThatDoesNotEndIsKilled() {
    assertThatThrownBy(() -> fault(List.of("sh", "-c", "exec sleep 60", "{vm}"), 0).inject(TARGET))
        .isInstanceOf(FaultException.class)
        .hasMessageContaining("is not done");
  }

  @Test
  void aPersonIsAskedAndNobodyWhereStandardInputIsClosed() throws Exception {
    StringWriter said = new StringWriter();
    PromptFault fault =
        new PromptFault(
            "power-cut",
            new Expectation.Stays(),
            new BufferedReader(new StringReader("\n")),
            new PrintWriter(said));

    fault.inject(TARGET);

    assertThat(said.toString()).contains("power-cut: press Enter", "machine alice $(id)");
    assertThatThrownBy(() -> fault.undo(TARGET))
        .isInstanceOf(FaultException.class)
        .hasMessageContaining("--fault-command");
  }

  private static CommandFault fault(List<String> inject, int seconds) {
    return new CommandFault(
        "power-cut", new Expectation.Stays(), inject, List.of(), Duration.ofSeconds(seconds));
  }
}
