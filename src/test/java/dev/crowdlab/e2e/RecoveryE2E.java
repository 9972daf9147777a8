package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.api.Wish;
import dev.crowdlab.api.Writes;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Times;
import dev.crowdlab.e2e.SavingProgram.After;
import dev.crowdlab.oracle.Breach;
import dev.crowdlab.testbed.Browser;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What moves a team that is no fault, and what moves none, while a student works. {@link
 * FaultMatrixE2E} has the faults.
 */
@Order(8)
@RequiresTestBed(handsClusterOn = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RecoveryE2E {

  private static final Duration BOUND = Duration.ofSeconds(120);

  private Lab lab;
  private String internet;
  private Browser student;
  private final Map<String, LabHost> machines = new java.util.TreeMap<>();

  @BeforeAll
  void start(ControlPlane controlPlane, LabNetwork network, IngressBed ingress) {
    lab = Lab.start(controlPlane, network, "recovery-e2e");
    internet = network.internet();
    student = new Browser(ingress.address());
    HostOptions root = HostOptions.full().image();
    HostOptions sudo = HostOptions.full().image().sudoUser("lender").sshPort(2200);
    Map.of("r-one", root, "r-two", sudo, "r-three", root)
        .forEach((name, options) -> machines.put(name, Lab.machine(network, name, options)));
    for (LabHost machine : machines.values()) {
      lab.secret(lab.namespace(), machine.name() + "-ssh", network.privateKey());
      lab.apply(
          ContributedVM.class,
          lab.vmYaml(machine, machine.name(), 4)
              .replace("annotations: {}", "labels: {user: " + machine.user() + "}"));
    }
    machines.keySet().forEach(name -> lab.awaitVmReady(name, BOUND));
  }

  @AfterAll
  void stop() {
    student.close();
    lab.close();
  }

  /** Also after a test that failed: the next one is to fail for reasons of its own only. */
  @AfterEach
  void leaveNothingBehind() {
    for (LabTeam team :
        lab.client().resources(LabTeam.class).inNamespace(lab.namespace()).list().getItems()) {
      lab.delete(LabTeam.class, team.getMetadata().getName(), BOUND);
    }
    for (LabHost machine : machines.values()) {
      if (!machine.succeeds("true")) {
        machine.start();
      }
      lab.patchVm(machine.name(), "{\"spec\": {\"drain\": false}}");
      ContributedVM vm = lab.vm(machine.name());
      if (vm.getStatus().voice() != null && vm.getStatus().voice().wish() != null) {
        machine.succeeds("systemctl", "start", "crowdlab-agent");
        machine.succeeds("crowdlab-agent", "resume");
      }
      lab.awaitVmReady(machine.name(), BOUND);
    }
  }

  @Test
  void whatIsSavedIsThereAlsoWhenTheNetworkFailsBeforeThePower() throws Exception {
    try (Collector collector = Collector.at(internet)) {
      LabTeam asynchronous = savingTeam("asynchronous", Writes.ASYNCHRONOUS);
      LabTeam synchronous = savingTeam("synchronous", Writes.SYNCHRONOUS);
      LabHost machine = machines.get(asynchronous.getStatus().binding().vm());
      assertThat(synchronous.getStatus().binding().vm()).isEqualTo(machine.name());
      SavingProgram unsaved = SavingProgram.start(machine, asynchronous, After.WRITE, collector);
      SavingProgram closing = SavingProgram.start(machine, asynchronous, After.CLOSE, collector);
      SavingProgram writing = SavingProgram.start(machine, synchronous, After.WRITE, collector);
      List.of(unsaved, closing, writing).forEach(RecoveryE2E::awaitMore);

      machine.cutFrom(lab.fileServer());
      awaitMore(unsaved);
      machine.powerCut();

      assertThat(writing.breaches(lab.fileServer()))
          .as("of writes that returned, where they are synchronous")
          .isEmpty();
      assertThat(closing.breaches(lab.fileServer())).as("of closes that returned").isEmpty();
      assertThat(unsaved.breaches(lab.fileServer()))
          .as("of writes that returned, where they are asynchronous: nobody promised them")
          .isNotEmpty()
          .allSatisfy(breach -> assertThat(breach.kind()).isEqualTo(Breach.Kind.LOST_LINE));
      for (LabTeam team : List.of(asynchronous, synchronous)) {
        lab.awaitTeamReadyAfter(
            team.getMetadata().getName(), team.getStatus().binding().epoch(), BOUND);
        lab.delete(LabTeam.class, team.getMetadata().getName(), BOUND);
      }
      machine.start();
      lab.awaitVmReady(machine.name(), BOUND);
    }
  }

  /** A team that began on the sudo user's machine and may go on elsewhere. */
  private LabTeam savingTeam(String name, Writes writes) {
    lab.apply(
        LabTeam.class,
        lab.teamYaml(name).replace("{size: 64Mi}", "{size: 64Mi, writes: " + writes + "}")
            + "  placement: {vmSelector: {matchLabels: {user: lender}}}\n");
    LabTeam team = lab.awaitTeamReady(name, BOUND);
    lab.client()
        .resource(team)
        .patch(
            PatchContext.of(PatchType.JSON_MERGE),
            "{\"spec\":{\"placement\":{\"vmSelector\":null}}}");
    return team;
  }

  private static void awaitMore(SavingProgram program) {
    int before = program.acknowledged().size();
    Awaitility.await("more lines after " + program.after())
        .atMost(BOUND)
        .until(() -> program.acknowledged().size() > before + 20);
  }

  @Test
  void anAgentThatDiesIsRestartedOverSshAndTheTeamsDoNotNotice() throws Exception {
    lab.team("agent-dies");
    LabTeam before = lab.awaitTeamReady("agent-dies", BOUND);
    LabHost machine = machines.get(before.getStatus().binding().vm());
    String since = lab.vm(machine.name()).getStatus().agent().connectedSince();
    String containers = Lab.containers(machine, before);
    // systemd would be faster than the operator.
    machine.exec("mkdir", "-p", "/run/systemd/system/crowdlab-agent.service.d");
    machine.write(
        "/run/systemd/system/crowdlab-agent.service.d/test.conf", "[Service]\nRestart=no\n");
    machine.exec("systemctl", "daemon-reload");

    try (Writer writer = Writer.start(student, before.getStatus().url(), "agent")) {
      writer.awaitMore(5, BOUND);
      machine.exec("systemctl", "kill", "--signal=KILL", "--kill-whom=main", "crowdlab-agent");
      lab.awaitVm(
          machine.name(),
          "connected again",
          vm ->
              vm.getStatus().agent() != null
                  && vm.getStatus().agent().connectedSince() != null
                  && !since.equals(vm.getStatus().agent().connectedSince()),
          BOUND);
      writer.awaitMore(5, BOUND);
      writer.close();
      writer.check();
      writer.checkNothingRefused();
    }

    machine.exec("rm", "-r", "/run/systemd/system/crowdlab-agent.service.d");
    machine.exec("systemctl", "daemon-reload");
    assertThat(Lab.containers(machine, before)).isEqualTo(containers);
    assertThat(lab.teamNow("agent-dies").getStatus().binding())
        .isEqualTo(before.getStatus().binding());
    lab.awaitVmReady(machine.name(), BOUND);
    lab.delete(LabTeam.class, "agent-dies", BOUND);
  }

  @Test
  void aMachineOfASudoUserOnAnotherPortRunsTeamsAsWell() {
    lab.apply(
        LabTeam.class,
        lab.teamYaml("on-sudo") + "  placement: {vmSelector: {matchLabels: {user: lender}}}\n");

    LabTeam team = lab.awaitTeamReady("on-sudo", BOUND);

    assertThat(team.getStatus().binding().vm()).isEqualTo("r-two");
    String url = team.getStatus().url();
    assertThat(student.post(url + "cgi-bin/file?notes", "saved").status()).isEqualTo(200);
    assertThat(student.get(url + "cgi-bin/file?notes").body().strip()).isEqualTo("saved");
    lab.delete(LabTeam.class, "on-sudo", BOUND);
  }

  @Test
  void aRestartOfTheFileServersSshdIsNoticedByNobody() throws Exception {
    lab.team("files-back");
    LabTeam before = lab.awaitTeamReady("files-back", BOUND);

    try (Writer writer = Writer.start(student, before.getStatus().url(), "lines")) {
      writer.awaitMore(10, BOUND);
      lab.fileServer().exec("systemctl", "restart", "crowdlab-sftpd");
      writer.awaitMore(10, BOUND);
      writer.close();
      writer.check();
      writer.checkNothingRefused();
    }
    assertThat(lab.teamNow("files-back").getStatus().binding())
        .isEqualTo(before.getStatus().binding());
    lab.delete(LabTeam.class, "files-back", BOUND);
  }

  // ---- planned moves

  /**
   * Its first process ends in order, and takes with it one that holds a file open: its writes have
   * returned, nobody synchronised them, and the file server has none of them yet. Whatever closes a
   * copy of the file saves it, so the writer starts no program and redirects nothing meanwhile.
   */
  @Test
  void aPlannedMoveLosesNothingThatWasWrittenSynchronisedOrNot() {
    lab.apply(
        LabTeam.class,
        lab.teamYaml("unsynced")
            .replace(
                Lab.VICTIM,
                "workspaceMountPath: /work, command: [/bin/sh, -c, 'mkfifo /tmp/go /tmp/never;"
                    + " trap \"touch /tmp/told; until [ -e /tmp/end ]; do usleep 20000; done;"
                    + " exit\" TERM; ( exec >>/work/unsynced; : 5>/tmp/open; read go </tmp/go; i=0;"
                    + " while [ $i -lt 500 ]; do i=$((i + 1)); echo \"$CROWDLAB_EPOCH line $i\";"
                    + " done; : 5>/tmp/written; read never </tmp/never ) & wait']"));
    LabTeam placed = lab.awaitTeamReady("unsynced", BOUND);
    LabHost drained = machines.get(placed.getStatus().binding().vm());

    LabTeam moved =
        withUnsyncedLines(
            placed, () -> lab.patchVm(drained.name(), "{\"spec\": {\"drain\": true}}"));

    assertDrained(moved, drained);
    awaitClean(drained, placed);
    lab.awaitVm(drained.name(), "drained", vm -> isDrained(vm), BOUND);
    lab.patchVm(drained.name(), "{\"spec\": {\"drain\": false}}");

    LabTeam movedAgain =
        withUnsyncedLines(
            moved,
            () -> lab.rebind(moved.getMetadata().getName(), moved.getStatus().binding().epoch()));

    Recovery rebind = movedAgain.getStatus().recoveries().getFirst();
    assertThat(rebind.cause()).isEqualTo(RecoveryCause.REQUESTED);
    assertThat(rebind.to()).isNotEqualTo(moved.getStatus().binding().vm());
    assertThat(student.get(movedAgain.getStatus().url() + "cgi-bin/file?unsynced").body().lines())
        .containsExactlyElementsOf(
            Stream.of(placed, moved)
                .map(team -> team.getStatus().binding().epoch())
                .flatMap(epoch -> IntStream.rangeClosed(1, 500).mapToObj(i -> epoch + " line " + i))
                .toList());
    lab.delete(LabTeam.class, "unsynced", BOUND);
    lab.awaitVmReady(drained.name(), BOUND);
  }

  /**
   * Has the team write once it was told to stop, while the file server's process for it stands
   * still. That lasts as long as the writing and no longer: after eight seconds of silence a
   * connection is given up, and what nobody synchronised may be lost with it.
   */
  private LabTeam withUnsyncedLines(LabTeam team, Runnable move) {
    String name = team.getMetadata().getName();
    long epoch = team.getStatus().binding().epoch();
    LabHost machine = machines.get(team.getStatus().binding().vm());
    LabHost files = lab.fileServer();
    String data = Lab.dataOf(team);
    String uid = files.exec("stat", "-c", "%u", data).strip();
    String container = "crowdlab-%s-%d-victim".formatted(team.getMetadata().getUid(), epoch);
    String pid = machine.exec("podman", "inspect", "--format", "{{.State.Pid}}", container).strip();
    String tmp = "/proc/%s/root/tmp".formatted(pid);
    machine.shell(until("[ -e %s/open ]".formatted(tmp)));
    String before = files.exec("stat", "-c", "%s", data + "/unsynced");

    move.run();
    machine.shell(until("[ -e %s/told ]".formatted(tmp)));
    files.exec("pkill", "-STOP", "-u", uid);
    try {
      machine.shell("echo go >%s/go; ".formatted(tmp) + until("[ -e %s/written ]".formatted(tmp)));
      assertThat(files.exec("stat", "-c", "%s", data + "/unsynced")).isEqualTo(before);
      machine.shell("touch %s/end; ".formatted(tmp) + until("! [ -e %s ]".formatted(tmp)));
    } finally {
      files.exec("pkill", "-CONT", "-u", uid);
    }
    return lab.awaitTeamReadyAfter(name, epoch, BOUND);
  }

  /** A loop of the shell that fails after a minute. */
  private static String until(String condition) {
    return "for i in $(seq 3000); do if %s; then exit 0; fi; sleep 0.02; done; exit 1"
        .formatted(condition);
  }

  /** Waits until nothing of this run is left on its machine. */
  private static void awaitClean(LabHost machine, LabTeam team) {
    Awaitility.await(machine.name() + " stopped " + team.getMetadata().getName())
        .atMost(BOUND)
        .until(
            () ->
                !Lab.runs(machine, team)
                    && !machine.shell("cat /proc/mounts").contains(team.getMetadata().getUid()));
  }

  private static boolean isDrained(ContributedVM vm) {
    return Conditions.holds(vm.getStatus().conditions(), ConditionType.DRAINED);
  }

  // ---- the contributor's voice

  @Test
  void aPauseMovesTheTeamsAndHoldsAcrossOperatorsAndAgentsUntilItIsTakenBack() throws Exception {
    lab.team("paused");
    LabTeam placed = lab.awaitTeamReady("paused", BOUND);
    LabHost machine = machines.get(placed.getStatus().binding().vm());

    LabTeam moved =
        whileWriting(
            placed,
            () ->
                assertThat(machine.exec("crowdlab-agent", "pause"))
                    .isEqualTo("The lab has been told.\n"));

    assertDrained(moved, machine);
    awaitReason(machine, Reason.CONTRIBUTOR_PAUSED);
    lab.killOperator();
    machine.exec("systemctl", "restart", "crowdlab-agent");
    lab.startOperator();
    lab.awaitConnected(machines.keySet(), BOUND);
    assertThat(readyReason(lab.vm(machine.name()))).isEqualTo(Reason.CONTRIBUTOR_PAUSED.value());
    assertThat(machine.exec("crowdlab-agent", "status")).contains("asked of the lab: pause");

    machine.exec("crowdlab-agent", "resume");

    awaitReason(machine, Reason.READY);
    assertThat(eventsOf(machine.name()))
        .anyMatch(note -> note.startsWith("Its contributor paused it"))
        .contains("Its contributor lends it again");
    lab.delete(LabTeam.class, "paused", BOUND);
  }

  @Test
  void anAgentThatItsOwnerStopsIsDrainedFirstAndStartedByNobodyElse() throws Exception {
    lab.team("stopped");
    LabTeam placed = lab.awaitTeamReady("stopped", BOUND);
    LabHost machine = machines.get(placed.getStatus().binding().vm());
    Integer faults = lab.vm(machine.name()).getStatus().reputation().agentFaults();

    LabTeam moved = whileWriting(placed, () -> machine.exec("systemctl", "stop", "crowdlab-agent"));

    assertDrained(moved, machine);
    assertThat(Lab.runs(machine, placed)).as("it waited for its team").isFalse();
    awaitReason(machine, Reason.STOPPED);
    assertThat(lab.vm(machine.name()).getStatus().reputation().agentFaults()).isEqualTo(faults);
    // A new operator that has heard nothing, and is to find out on the machine itself.
    lab.killOperator();
    lab.client()
        .resource(lab.vm(machine.name()))
        .editStatus(
            vm -> {
              vm.setStatus(vm.getStatus().toBuilder().voice(null).build());
              return vm;
            });
    lab.startOperator();
    lab.awaitVm(
        machine.name(),
        "found stopped",
        vm -> vm.getStatus().voice() != null && vm.getStatus().voice().wish() == Wish.STOP,
        BOUND);
    assertThat(machine.succeeds("systemctl", "is-active", "crowdlab-agent")).isFalse();
    awaitReason(machine, Reason.STOPPED);

    machine.exec("systemctl", "start", "crowdlab-agent");

    lab.awaitVmReady(machine.name(), BOUND);
    assertThat(eventsOf(machine.name())).contains("Its owner started it again");
    lab.delete(LabTeam.class, "stopped", BOUND);
  }

  @Test
  void aMachineThatItsOwnerRebootsIsDrainedFirstAndThatIsNoFault() throws Exception {
    lab.team("rebooted");
    LabTeam placed = lab.awaitTeamReady("rebooted", BOUND);
    LabHost machine = machines.get(placed.getStatus().binding().vm());
    Integer losses = lab.vm(machine.name()).getStatus().reputation().losses();
    assertThat(
            machine.shell(
                "systemctl list-units --plain --no-legend 'libpod-*.scope' 'crowdlab-workspace-*'"
                    + " | awk '{ print $1 }' | xargs systemctl show -p Before --value"))
        .as("containers and mounts are stopped after the agent: each begins before it")
        .satisfies(
            text ->
                assertThat(text.lines().filter(line -> !line.isBlank()))
                    .hasSizeGreaterThanOrEqualTo(3)
                    .allMatch(line -> line.contains("crowdlab-agent.service")));

    LabTeam moved = whileWriting(placed, machine::reboot);

    assertDrained(moved, machine);
    assertThat(moved.getStatus().recoveryCount()).isEqualTo(1);
    ContributedVM back = lab.awaitVmReady(machine.name(), BOUND);
    Instant connected = Times.parse(back.getStatus().agent().connectedSince());
    assertThat(readySince(back)).isAfterOrEqualTo(connected.plusSeconds(9));
    assertThat(back.getStatus().reputation().losses()).isEqualTo(losses);
    lab.delete(LabTeam.class, "rebooted", BOUND);
  }

  /** A student writes without a pause while something happens that moves the team. */
  private LabTeam whileWriting(LabTeam placed, Runnable what) throws Exception {
    try (Writer writer = Writer.start(student, placed.getStatus().url(), "voice")) {
      writer.awaitMore(5, BOUND);
      what.run();
      LabTeam moved =
          lab.awaitTeamReadyAfter(
              placed.getMetadata().getName(), placed.getStatus().binding().epoch(), BOUND);
      writer.awaitMore(5, BOUND);
      writer.close();
      writer.check();
      return moved;
    }
  }

  private static void assertDrained(LabTeam moved, LabHost machine) {
    Recovery move = moved.getStatus().recoveries().getFirst();
    assertThat(move.cause()).isEqualTo(RecoveryCause.VM_DRAINED);
    assertThat(move.from()).isEqualTo(machine.name());
    assertThat(move.to()).isEqualTo(moved.getStatus().binding().vm()).isNotEqualTo(machine.name());
  }

  private void awaitReason(LabHost machine, Reason reason) {
    lab.awaitVm(
        machine.name(), reason.value(), vm -> readyReason(vm).equals(reason.value()), BOUND);
  }

  private static String readyReason(ContributedVM vm) {
    return ready(vm).getReason();
  }

  private static Instant readySince(ContributedVM vm) {
    return Instant.parse(ready(vm).getLastTransitionTime());
  }

  private static Condition ready(ContributedVM vm) {
    return Conditions.find(vm.getStatus().conditions(), ConditionType.READY).orElseThrow();
  }

  private List<String> eventsOf(String name) {
    return lab.events().stream()
        .filter(event -> event.getRegarding().getName().equals(name))
        .map(event -> event.getNote())
        .toList();
  }
}
