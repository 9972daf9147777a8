package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.TeamStep;
import dev.crowdlab.e2e.LabFault.Lengths;
import dev.crowdlab.experiment.Expectation;
import dev.crowdlab.experiment.Sample;
import dev.crowdlab.experiment.Trial.Outcome;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each kind of fault once, with the oracle: into the machines of two teams side by side, then into
 * what they all depend on. Brief ones; {@code src/test/testbed/experiment} does them at full
 * length, over and over.
 */
@Order(1)
@RequiresTestBed(handsClusterOn = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FaultMatrixE2E {

  private static final Path REPORT = Path.of("target/fault-matrix.txt");

  private static final List<LabFault> MOVING =
      List.of(
          MachineFault.FREEZE,
          MachineFault.POWER_CUT,
          MachineFault.PARTITION,
          MachineFault.PARTITION_OPERATOR,
          ProcessFault.CONTAINER_KILL,
          ProcessFault.SSHFS_KILL,
          MachineFault.OLD_HOST_BACK,
          MachineFault.TWO_HOSTS);
  private static final List<LabFault> STAYING =
      List.of(
          MachineFault.LOSS,
          MachineFault.DISK_FULL,
          MachineFault.DISK_READ_ONLY,
          MachineFault.PARTITION_FILES,
          ProcessFault.AGENT_KILL,
          ProcessFault.AGENT_STOP,
          ProcessFault.SSHD_KILL,
          ProcessFault.AGENT_CLOCK);
  private static final List<LabFault> COMMON =
      Stream.<LabFault>concat(Stream.of(MachineFault.ALL_HOSTS), Stream.of(ServiceFault.values()))
          .filter(fault -> fault.onlyLong().isEmpty())
          .toList();

  private static final List<String> STEPS =
      Stream.concat(
              Stream.of(
                      TeamStep.DETECTED,
                      TeamStep.CHOSEN,
                      TeamStep.FENCED,
                      TeamStep.ATTACHED,
                      TeamStep.STARTED,
                      TeamStep.ROUTED)
                  .map(TeamStep::toString),
              Stream.of(Sample.READY))
          .toList();

  private final Instant began = Instant.now();
  private Bed bed;
  private List<FaultLane> lanes = List.of();
  private FaultLane common;

  @BeforeAll
  void start(ControlPlane controlPlane, LabNetwork network, IngressBed ingress) throws IOException {
    Files.deleteIfExists(REPORT);
    bed =
        Bed.start(
            controlPlane,
            network,
            ingress,
            "matrix-e2e",
            List.of("f-one", "f-two", "f-three", "f-four"),
            Duration.ofSeconds(2));
    lanes =
        List.of(
            new FaultLane(bed.lane("moving", List.of("f-one", "f-two", "f-three")), "moving"),
            new FaultLane(bed.lane("staying", List.of("f-four")), "staying"));
    common = new FaultLane(bed, "common");
    lanes.get(0).start(MOVING, Lengths.BRIEF);
    lanes.get(1).start(STAYING, Lengths.BRIEF);
  }

  @AfterAll
  void stop() {
    lanes.forEach(FaultLane::close);
    if (common != null) {
      common.close();
    }
    if (bed != null) {
      bed.close();
    }
  }

  static Stream<LabFault> faultsOfOneMachine() {
    return Stream.of(MOVING, STAYING).flatMap(List::stream);
  }

  static Stream<LabFault> faultsOfAll() {
    return COMMON.stream();
  }

  @Order(1)
  @ParameterizedTest
  @MethodSource("faultsOfOneMachine")
  void aTeamFaresAsExpectedAndNoPromiseIsBroken(LabFault fault) throws Exception {
    holds(lanes.stream().filter(lane -> lane.takes(fault)).findFirst().orElseThrow(), fault);
  }

  @Order(2)
  @ParameterizedTest
  @MethodSource("faultsOfAll")
  void aTeamFaresAsExpectedWhenTheFaultIsEverybodys(LabFault fault) throws Exception {
    if (!common.takes(fault)) {
      common.start(COMMON, Lengths.BRIEF);
    }

    holds(common, fault);
  }

  @Order(3)
  @Test
  void whenAllIsOverNothingOldHasWrittenBesideAnyTeam() throws Exception {
    for (FaultLane lane : lanes) {
      assertThat(lane.breachesAtTheEnd()).isEmpty();
    }
    assertThat(common.breachesAtTheEnd()).isEmpty();
  }

  @Order(4)
  @Test
  void noKindOfFaultIsLeftOut() {
    assertThat(Stream.concat(faultsOfOneMachine(), faultsOfAll()))
        .containsExactlyInAnyOrderElementsOf(
            LabFault.all().stream().filter(fault -> fault.onlyLong().isEmpty()).toList());
  }

  private void holds(FaultLane lane, LabFault fault) throws Exception {
    FaultLane.Told told = lane.told(fault);
    Outcome outcome = told.outcome();
    Files.writeString(
        REPORT, FaultLane.line(told, began), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    assertThat(outcome.unmet()).as("%s", outcome.student()).isEmpty();
    assertThat(outcome.breaches()).isEmpty();
    if (fault.expectation() instanceof Expectation.Moves) {
      assertThat(outcome.sample().laps())
          .extracting(lap -> lap.step())
          .containsExactlyElementsOf(STEPS);
      assertThat(outcome.sample().laps()).allMatch(lap -> !lap.took().isNegative());
    }
  }
}
