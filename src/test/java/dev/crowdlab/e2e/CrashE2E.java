package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.testbed.Browser;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The operator dies, as by kill -9, right after each step, before the next one begins, and is
 * started again; it stands still while another one leads; what it knew of a team is old or gone:
 * one binding, one writer, no orphan.
 */
@Order(2)
@RequiresTestBed(handsClusterOn = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrashE2E {

  private static final Duration BOUND = Duration.ofSeconds(120);

  private Lab lab;
  private Browser student;
  private String internet;
  private final Map<String, LabHost> machines = new TreeMap<>();

  @BeforeAll
  void start(ControlPlane controlPlane, LabNetwork network, IngressBed ingress) {
    // Each is lost again and again: how long it has to prove itself then is no matter here.
    lab =
        Lab.startRelayed(
            controlPlane,
            network,
            "crash-e2e",
            "returning: {stable: 2s, longest: 2s}\nleaderElection: {enabled: true}\n");
    internet = network.internet();
    student = new Browser(ingress.address());
    for (String name : List.of("c-one", "c-two")) {
      machines.put(name, Lab.machine(network, name, HostOptions.full().image()));
      lab.contribute(machines.get(name), name, 4);
    }
    machines.keySet().forEach(name -> lab.awaitVmReady(name, BOUND));
    lab.keepOperatorClasses();
    lab.killOperator();
    lab.startMortalOperator();
    lab.awaitConnected(machines.keySet(), BOUND);
  }

  @AfterAll
  void stop() {
    student.close();
    lab.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "team.chosen",
        "team.bound",
        "team.fenced",
        "team.attached",
        "team.started",
        "team.routed",
        "team.ready"
      })
  void aCreationAndARecoveryAreFinishedByTheNextOperator(String step) {
    String name = "after-" + step.substring(step.indexOf('.') + 1);
    lab.doomOperator(step);
    lab.team(name);
    lab.awaitOperatorEnd(BOUND);

    lab.startMortalOperator();

    LabTeam created = lab.awaitTeamReady(name, BOUND);
    String url = created.getStatus().url();
    assertThat(created.getStatus().binding().epoch()).as("one binding, not two").isEqualTo(1);
    assertThat(student.post(url + "cgi-bin/file?notes", "kept").status()).isEqualTo(200);
    assertRunsOnceOnly(created);

    LabHost machine = machines.get(created.getStatus().binding().vm());
    lab.doomOperator(step);
    machine.partition();
    lab.awaitOperatorEnd(BOUND);

    lab.startMortalOperator();

    LabTeam recovered = lab.awaitTeamReadyAfter(name, 1, BOUND);
    assertThat(recovered.getStatus().binding().epoch()).as("one move, not two").isEqualTo(2);
    assertThat(student.get(url + "cgi-bin/file?notes").body().strip()).isEqualTo("kept");
    machine.heal();
    lab.awaitVmReady(machine.name(), BOUND);
    assertRunsOnceOnly(recovered);
    lab.delete(LabTeam.class, name, BOUND);
    assertNothingLeft(recovered);
  }

  @Test
  void aDeletionIsFinishedByTheNextOperator() {
    lab.team("delete-retired");
    LabTeam team = lab.awaitTeamReady("delete-retired", BOUND);
    lab.doomOperator("team.retired");
    lab.client()
        .resources(LabTeam.class)
        .inNamespace(lab.namespace())
        .withName("delete-retired")
        .delete();
    lab.awaitOperatorEnd(BOUND);

    lab.startMortalOperator();

    lab.awaitGone(LabTeam.class, "delete-retired", BOUND);
    assertNothingLeft(team);
  }

  @Test
  void teamsGoOnWorkingWhileThereIsNoOperatorAndAreNotTouchedByTheNext() throws Exception {
    lab.team("alone");
    LabTeam before = lab.awaitTeamReady("alone", BOUND);
    LabHost machine = machines.get(before.getStatus().binding().vm());
    String containers = Lab.containers(machine, before);
    lab.killOperator();
    lab.replacePod();

    try (Writer writer = Writer.start(student, before.getStatus().url(), "alone")) {
      writer.awaitMore(50, BOUND);
      lab.startMortalOperator();
      lab.awaitConnected(machines.keySet(), BOUND);
      writer.awaitMore(50, BOUND);
      writer.close();
      writer.check();
      writer.checkNothingRefused();
    }

    assertThat(Lab.containers(machine, before)).isEqualTo(containers);
    LabTeam after = lab.teamNow("alone");
    assertThat(after.getStatus().binding()).isEqualTo(before.getStatus().binding());
    lab.delete(LabTeam.class, "alone", BOUND);
  }

  @Test
  void anOperatorThatIsToldToStopLeavesTeamsAlone() throws Exception {
    lab.team("told");
    LabTeam before = lab.awaitTeamReady("told", BOUND);
    LabHost machine = machines.get(before.getStatus().binding().vm());
    String containers = Lab.containers(machine, before);
    lab.killOperator();
    // As a user starts it: how it ends is the matter here.
    lab.startOperator();
    lab.awaitConnected(machines.keySet(), BOUND);

    lab.terminateOperator(Duration.ofSeconds(15));

    assertThat(student.get(before.getStatus().url()).status()).isEqualTo(200);
    lab.startMortalOperator();
    lab.awaitConnected(machines.keySet(), BOUND);
    assertThat(Lab.containers(machine, before)).isEqualTo(containers);
    assertThat(lab.teamNow("told").getStatus().binding()).isEqualTo(before.getStatus().binding());
    lab.delete(LabTeam.class, "told", BOUND);
  }

  /** It may go on for a moment before it finds out: the fence keeps it out, not its good will. */
  @Test
  void aLeaderThatStoodStillInTheMidstOfAMoveDoesNoHarmWhenAnotherHasLed() throws Exception {
    try (MarkedLines lines = MarkedLines.start(lab, "two-leaders", internet)) {
      LabTeam before = lab.awaitTeamReady("two-leaders", BOUND);
      long epoch = before.getStatus().binding().epoch();
      LabHost machine = machines.get(before.getStatus().binding().vm());
      lines.awaitMore(epoch);
      lab.doomOperator("stop team.bound");
      machine.powerCut();
      lab.awaitOperatorStopped(BOUND);

      lab.replaceStalledOperator();
      LabTeam after = lab.awaitTeamReadyAfter("two-leaders", epoch, BOUND);
      lines.awaitMore(after.getStatus().binding().epoch());
      // One epoch on: what the first one has in its hands is over now.
      lab.rebind("two-leaders", after.getStatus().binding().epoch());
      LabTeam later =
          lab.awaitTeamReadyAfter("two-leaders", after.getStatus().binding().epoch(), BOUND);
      lab.resumeStalledOperator(BOUND);

      lines.awaitMore(later.getStatus().binding().epoch());
      assertThat(lab.teamNow("two-leaders").getStatus().binding())
          .isEqualTo(later.getStatus().binding());
      assertThat(student.get(later.getStatus().url()).status()).isEqualTo(200);
      lines.assertNothingIsLostOrMixed(later, 3);
      machine.start();
      lab.awaitVmReady(machine.name(), BOUND);
      assertRunsOnceOnly(later);
      lab.delete(LabTeam.class, "two-leaders", BOUND);
    }
  }

  /** As after a restore of etcd: the file server and the machines know better. */
  @Test
  void aTeamWhoseStatusIsThreeEpochsOldOrEmptyComesBackWithOneWriter() {
    try (MarkedLines lines = MarkedLines.start(lab, "restored", internet)) {
      LabTeamStatus old = lab.awaitTeamReady("restored", BOUND).getStatus();
      long epoch = old.binding().epoch();
      lines.awaitMore(epoch);
      for (int move = 0; move < 3; move++) {
        lab.rebind("restored", epoch);
        epoch = lab.awaitTeamReadyAfter("restored", epoch, BOUND).getStatus().binding().epoch();
      }
      lines.awaitMore(epoch);

      LabTeam rolledBack = withStatus("restored", old, epoch, lines);
      epoch = rolledBack.getStatus().binding().epoch();
      // Nobody else takes it: its machine must, which runs what status has forgotten.
      String own = rolledBack.getStatus().binding().vm();
      String other = own.equals("c-one") ? "c-two" : "c-one";
      lab.patchVm(other, "{\"spec\":{\"schedulable\":false}}");
      LabTeam emptied = withStatus("restored", LabTeamStatus.EMPTY, epoch, lines);
      lab.patchVm(other, "{\"spec\":{\"schedulable\":true}}");

      assertThat(emptied.getStatus().binding().vm()).isEqualTo(own);
      assertThat(emptied.getStatus().workspace().id()).isEqualTo(old.workspace().id());
      lines.assertNothingIsLostOrMixed(emptied, 6);
      assertRunsOnceOnly(emptied);
      lab.delete(LabTeam.class, "restored", BOUND);
    }
  }

  /** The team, ready at a later epoch than the one it had, after an operator met that status. */
  private LabTeam withStatus(String name, LabTeamStatus status, long epoch, MarkedLines lines) {
    lab.killOperator();
    lab.setStatus(name, status);

    lab.startMortalOperator();

    LabTeam after = lab.awaitTeamReadyAfter(name, epoch, BOUND);
    lines.awaitMore(after.getStatus().binding().epoch());
    assertThat(student.get(after.getStatus().url()).status()).isEqualTo(200);
    return after;
  }

  /** One machine runs the team, the one it is bound to; the file server has one epoch of it. */
  private void assertRunsOnceOnly(LabTeam team) {
    String bound = team.getStatus().binding().vm();
    machines.forEach(
        (name, machine) ->
            Awaitility.await()
                .atMost(BOUND)
                .untilAsserted(
                    () ->
                        assertThat(Lab.runs(machine, team))
                            .as("%s runs %s", name, team.getMetadata().getName())
                            .isEqualTo(name.equals(bound))));
    assertThat(epochs(team)).as("epochs of the team that can write").isEqualTo(1);
  }

  private void assertNothingLeft(LabTeam team) {
    machines.forEach(
        (name, machine) -> {
          assertThat(Lab.runs(machine, team)).as("%s runs the deleted team", name).isFalse();
          assertThat(machine.shell("grep -c fuse.sshfs /proc/mounts || true").strip())
              .as("mounts on %s", name)
              .isEqualTo("0");
        });
    assertThat(epochs(team)).as("epochs of the deleted team that can write").isZero();
  }

  private int epochs(LabTeam team) {
    String id = team.getStatus().workspace().id();
    return Integer.parseInt(
        lab.fileServer()
            .shell("grep -c ' /run/crowdlab/e/[^ ]*" + id + "' /proc/mounts || true")
            .strip());
  }
}
