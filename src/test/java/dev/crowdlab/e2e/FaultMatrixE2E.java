package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.e2e.LabFault.Lengths;
import dev.crowdlab.experiment.Expectation;
import dev.crowdlab.experiment.Trial;
import dev.crowdlab.experiment.Trial.Outcome;
import dev.crowdlab.testbed.Command;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each kind of fault once, into the machine of one and the same team, whose student and whose
 * writer never rest. What holds today; {@code LabFault} says what does not yet, and what takes too
 * long for here: {@code src/test/testbed/experiment} does all of it.
 */
@Order(2)
@RequiresTestBed(ownCluster = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FaultMatrixE2E {

  private static final String TEAM = "matrix";
  private static final List<String> MACHINES = List.of("f-one", "f-two", "f-three", "f-four");

  private Bed bed;
  private BedWitness witness;
  private Trial trial;

  private Path run;

  @BeforeAll
  void start(ControlPlane controlPlane, LabNetwork network, IngressBed ingress) {
    bed = Bed.start(controlPlane, network, ingress, "matrix-e2e", MACHINES);
    run = network.run();
    bed.cluster().create(TEAM);
    witness = BedWitness.of(bed, bed.lab().awaitTeamReady(TEAM, Bed.BOUND));
    trial = new Trial(bed.cluster(), Bed.BOUND, Clock.systemUTC(), false);
  }

  @AfterAll
  void stop() {
    if (witness != null) {
      witness.close();
    }
    if (bed != null) {
      bed.close();
    }
  }

  static Stream<LabFault> faults() {
    return LabFault.all().stream()
        .filter(fault -> fault.notYet().isEmpty() && fault.onlyLong().isEmpty());
  }

  @Order(1)
  @ParameterizedTest
  @MethodSource("faults")
  void theTeamFaresAsExpectedAndNoPromiseIsBroken(LabFault fault) throws Exception {
    if (!(fault.expectation() instanceof Expectation.Unbroken)) {
      bed.cluster().awaitMachines(Set.copyOf(MACHINES), Bed.BOUND);
    }

    Outcome outcome = trial.run(fault.in(bed, Lengths.BRIEF), 1, TEAM, witness);

    assertThat(outcome.unmet()).as("%s", outcome.student()).isEmpty();
    assertThat(outcome.breaches()).isEmpty();
  }

  @Order(2)
  @Test
  void whenAllMachinesAreBackNothingOldHasWrittenBesideTheTeam() throws Exception {
    bed.cluster().awaitMachines(Set.copyOf(MACHINES), Bed.BOUND);

    assertThat(witness.awaitWell(Bed.BOUND)).isEmpty();
    assertThat(witness.breaches()).isEmpty();
  }

  /** The command as it is, with programs that know nothing of us. */
  @Order(3)
  @Test
  void aUserMeasuresTheirOwnClusterWithTheirOwnProgramsByTheCommandLine(@TempDir Path folder)
      throws Exception {
    witness.close();
    bed.cluster().delete(TEAM, Bed.BOUND);
    Path team = Files.writeString(folder.resolve("team.yaml"), bed.teamYaml("mine"));
    String lab = Path.of("src/test/testbed/lab").toString();
    InetSocketAddress ingress = bed.ingress().address();

    String said =
        Command.output(
            Bed.BOUND,
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                "target/crowdlab.jar",
                "experiment",
                "--kubeconfig=" + bed.controlPlane().kubeconfig(),
                "--team=" + team,
                "--runs=1",
                "--read=cgi-bin/file?student",
                "--append=cgi-bin/append?student",
                "--ingress=" + ingress.getAddress().getHostAddress() + ":" + ingress.getPort(),
                "--out=" + folder.resolve("results"),
                "--machine=cores=2",
                "--fault-command",
                lab,
                "power-cut",
                run.toString(),
                "--undo-command",
                lab,
                "start",
                run.toString()));

    assertThat(said)
        .contains("power-cut 1 of 1: ", "| after detection | 1 |", "| answered | 1 |")
        .doesNotContain("NOT AS EXPECTED");
    assertThat(folder.resolve("results"))
        .isDirectoryContaining("glob:**/samples.csv")
        .isDirectoryContaining("glob:**/results.json")
        .isDirectoryContaining("glob:**/results.md")
        .isDirectoryContaining("glob:**/steps.png");
  }
}
