package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.FaultCause;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.Condition;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What is a fault of a machine, what is one of its agent, and what is none: beyond what {@link
 * FaultMatrixE2E} injects into the machine of a team.
 */
@Order(3)
@RequiresTestBed(handsClusterOn = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DetectionE2E {

  private static final Duration BOUND = Duration.ofSeconds(120);

  private final Map<String, LabHost> machines = new TreeMap<>();
  private Lab lab;

  @BeforeAll
  void start(ControlPlane controlPlane, LabNetwork network) {
    lab =
        Lab.start(
            controlPlane,
            network,
            "detection-e2e",
            """
            detection: {probes: {routine: 3s, again: 2s}, patience: {agentGone: 30s}}
            returning: {stable: 2s, longest: 2s}
            """);
    for (String name : List.of("d-one", "d-two", "d-three")) {
      machines.put(name, Lab.machine(network, name, HostOptions.full().image()));
      lab.contribute(machines.get(name), name, 4);
    }
    machines.keySet().forEach(name -> lab.awaitVmReady(name, BOUND));
  }

  @AfterAll
  void stop() {
    lab.close();
  }

  private LabTeam team(String name) {
    lab.team(name);
    return lab.awaitTeamReady(name, BOUND);
  }

  private LabHost machineOf(LabTeam team) {
    return machines.get(team.getStatus().binding().vm());
  }

  private FaultCause lastFault(LabHost machine) {
    return lab.vm(machine.name()).getStatus().reputation().faults().getFirst().cause();
  }

  private void staysWhereItIs(LabTeam team) {
    LabTeam now = lab.teamNow(team.getMetadata().getName());
    assertThat(now.getStatus().binding()).isEqualTo(team.getStatus().binding());
    assertThat(now.getStatus().recoveries()).isEmpty();
  }

  private void awaitFaultOver(LabHost machine, FaultCause cause) {
    lab.awaitVm(
        machine.name(),
        "back after " + cause,
        vm ->
            vm.getStatus().reputation().faults().stream()
                .findFirst()
                .filter(fault -> fault.cause() == cause && fault.over() != null)
                .isPresent(),
        BOUND);
    lab.awaitVmReady(machine.name(), BOUND);
  }

  @Test
  void anAgentThatNothingBringsBackLosesItsTeamsAndTheirOldRunCannotWrite() {
    LabTeam team = team("agent-gone");
    LabHost machine = machineOf(team);
    String containers = Lab.containers(machine, team);
    assertThat(mayWrite(machine, team)).isTrue();
    machine.exec("mkdir", "-p", "/run/systemd/system/crowdlab-agent.service.d");
    machine.write(
        "/run/systemd/system/crowdlab-agent.service.d/test.conf",
        "[Service]\nExecStart=\nExecStart=/bin/sleep infinity\n");
    machine.exec("systemctl", "daemon-reload");

    machine.exec("systemctl", "kill", "--signal=KILL", "--kill-whom=main", "crowdlab-agent");
    LabTeam after =
        lab.awaitTeamReadyAfter("agent-gone", team.getStatus().binding().epoch(), BOUND);

    Recovery recovery = after.getStatus().recoveries().getFirst();
    assertThat(recovery.cause()).isEqualTo(RecoveryCause.AGENT_LOST);
    assertThat(recovery.from()).isEqualTo(machine.name());
    assertThat(recovery.to()).isNotEqualTo(machine.name());
    assertThat(lastFault(machine)).isEqualTo(FaultCause.AGENT_CRASHED);
    assertThat(Lab.containers(machine, team)).as("nobody could stop it").isEqualTo(containers);
    assertThat(mayWrite(machine, team)).as("its workspace is another's").isFalse();

    machine.exec("rm", "-r", "/run/systemd/system/crowdlab-agent.service.d");
    machine.exec("systemctl", "daemon-reload");
    machine.exec("systemctl", "restart", "crowdlab-agent");
    awaitFaultOver(machine, FaultCause.AGENT_CRASHED);
    await("the old run is stopped")
        .atMost(BOUND)
        .until(
            () ->
                machine
                    .shell(
                        "podman ps -aq --filter label=crowdlab.team=" + team.getMetadata().getUid())
                    .isBlank());
    lab.delete(LabTeam.class, "agent-gone", BOUND);
  }

  /** Whether root on the machine can save something in the workspace as it was mounted there. */
  private static boolean mayWrite(LabHost machine, LabTeam team) {
    String file =
        "/run/crowdlab/teams/%s/%d/workspace/by-root"
            .formatted(team.getMetadata().getUid(), team.getStatus().binding().epoch());
    return machine.succeeds(
        "timeout", "20", "dd", "if=/dev/zero", "of=" + file, "count=1", "conv=fsync");
  }

  @Test
  void aMachineWithoutTeamsAndWithoutPowerIsLostTooAndToldAsThatWhenItIsBack() {
    LabHost machine = machines.get("d-one");

    machine.powerCut();
    lab.awaitVm(
        machine.name(),
        "lost",
        vm -> hasReason(vm.getStatus().conditions(), "Reachable", "VmLost"),
        BOUND);
    machine.start();

    awaitFaultOver(machine, FaultCause.POWER_CUT);
  }

  @Test
  void anSshdThatDiesIsSaidAndNoFault() {
    LabTeam team = team("sshd-dies");
    LabHost machine = machineOf(team);

    machine.exec("systemctl", "stop", "ssh");
    lab.awaitVm(
        machine.name(),
        "known to have no sshd",
        vm -> hasReason(vm.getStatus().conditions(), "Reachable", "SshdSilent"),
        BOUND);
    assertThat(Lab.isReady(lab.vm(machine.name()).getStatus().conditions())).isTrue();
    machine.exec("systemctl", "start", "ssh");

    lab.awaitVm(
        machine.name(),
        "known to have an sshd again",
        vm -> hasReason(vm.getStatus().conditions(), "Reachable", "Connected"),
        BOUND);
    staysWhereItIs(team);
    lab.delete(LabTeam.class, "sshd-dies", BOUND);
  }

  @Test
  void aLossyLinkAndABusyMachineAreNoFault() {
    LabTeam team = team("lossy");
    LabHost machine = machineOf(team);
    Integer losses = lab.vm(machine.name()).getStatus().reputation().losses();
    List<Process> hogs = new ArrayList<>();
    try {
      for (int i = 0; i < 2 * Runtime.getRuntime().availableProcessors(); i++) {
        hogs.add(new ProcessBuilder("sh", "-c", "while :; do /bin/true; done").start());
      }
      machine.lossy(20);
      pass(Duration.ofSeconds(12));
      hogs.forEach(Process::destroyForcibly);
      // Other tests want the processor too.
      pass(Duration.ofSeconds(28));
    } catch (IOException e) {
      throw new AssertionError(e);
    } finally {
      hogs.forEach(Process::destroyForcibly);
      machine.heal();
    }

    staysWhereItIs(team);
    assertThat(lab.vm(machine.name()).getStatus().reputation().losses()).isEqualTo(losses);
    lab.delete(LabTeam.class, "lossy", BOUND);
  }

  @Test
  void whoHearsNobodyAtAllDoubtsHisOwnNetworkAndNothingMoves() {
    LabTeam team = team("deaf");

    // Machines and file server hear each other: a mount that breaks has an epoch of its own.
    // All at once: a machine that is silent for a second while another one speaks is lost.
    lab.fileServer().cutFrom(lab.gateway());
    machines.values().parallelStream().forEach(machine -> machine.cutFrom(lab.gateway()));
    pass(Duration.ofSeconds(6));
    staysWhereItIs(team);
    machines.values().forEach(LabHost::heal);
    lab.fileServer().heal();

    machines.keySet().forEach(name -> lab.awaitVmReady(name, BOUND));
    pass(Duration.ofSeconds(5));
    staysWhereItIs(team);
    assertThat(eventsOf("LossDoubted")).isNotEmpty();
    lab.delete(LabTeam.class, "deaf", BOUND);
  }

  @Test
  void whenAllVanishAtOnceTheyAreConfirmedOneByOneAndTheTeamComesBack() {
    // One on each machine: those without are watched more slowly.
    List<LabTeam> teams = List.of(team("storm-1"), team("storm-2"), team("storm-3"));
    assertThat(teams).extracting(team -> team.getStatus().binding().vm()).doesNotHaveDuplicates();

    machines.values().forEach(LabHost::partition);
    for (String name : machines.keySet()) {
      lab.awaitVm(
          name, "lost", vm -> hasReason(vm.getStatus().conditions(), "Reachable", "VmLost"), BOUND);
    }
    assertThat(lab.metrics()).containsPattern("crowdlab_hub_storms_total [1-9]");
    assertThat(eventsOf("LossDoubted"))
        .anyMatch(note -> note.startsWith("Too many machines vanished at once"));
    machines.values().forEach(LabHost::heal);

    machines.keySet().forEach(name -> lab.awaitVmReady(name, BOUND));
    for (LabTeam team : teams) {
      String name = team.getMetadata().getName();
      lab.awaitTeamReady(name, BOUND);
      lab.delete(LabTeam.class, name, BOUND);
    }
  }

  private static boolean hasReason(List<Condition> conditions, String type, String reason) {
    return Conditions.find(conditions, type)
        .filter(condition -> reason.equals(condition.getReason()))
        .isPresent();
  }

  private static void pass(Duration time) {
    Instant end = Instant.now().plus(time);
    await().atMost(time.plus(BOUND)).until(() -> Instant.now().isAfter(end));
  }

  private List<String> eventsOf(String reason) {
    return lab.events().stream()
        .filter(event -> event.getReason().equals(reason))
        .map(event -> event.getNote())
        .toList();
  }
}
