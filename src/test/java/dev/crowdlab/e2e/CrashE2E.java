package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.LabTeam;
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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The operator dies, as by kill -9, right after each step, and is started again. */
@RequiresTestBed
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrashE2E {

  private static final Duration BOUND = Duration.ofSeconds(120);

  private Lab lab;
  private Browser student;
  private final Map<String, LabHost> machines = new TreeMap<>();

  @BeforeAll
  void start(ControlPlane controlPlane, LabNetwork network, IngressBed ingress) {
    lab = Lab.start(controlPlane, network, "crash-e2e");
    student = new Browser(ingress.address());
    for (String name : List.of("c-one", "c-two")) {
      machines.put(name, Lab.machine(network, name, HostOptions.full().image()));
      lab.contribute(machines.get(name), name, 4);
    }
    machines.keySet().forEach(name -> lab.awaitVmReady(name, BOUND));
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
  void aCreationIsFinishedByTheNextOperator(String step) {
    String name = "create-" + step.substring(step.indexOf('.') + 1);
    lab.killOperator();
    lab.startOperatorThatDiesAfter(step);
    lab.team(name);
    lab.awaitOperatorEnd(BOUND);

    lab.startOperator();

    LabTeam team = lab.awaitTeamReady(name, BOUND);
    assertThat(team.getStatus().binding().epoch()).isLessThanOrEqualTo(2);
    assertRunsOnceOnly(team);
    lab.delete(LabTeam.class, name, BOUND);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "team.chosen",
        "team.bound",
        "team.fenced",
        "team.attached",
        "team.started",
        "team.routed"
      })
  void aRecoveryIsFinishedByTheNextOperator(String step) {
    String name = "recover-" + step.substring(step.indexOf('.') + 1);
    lab.team(name);
    LabTeam before = lab.awaitTeamReady(name, BOUND);
    String url = before.getStatus().url();
    assertThat(student.post(url + "cgi-bin/file?notes", "kept").status()).isEqualTo(200);
    LabHost machine = machines.get(before.getStatus().binding().vm());
    lab.killOperator();
    lab.startOperatorThatDiesAfter(step);
    lab.awaitConnected(machines.keySet(), BOUND);
    machine.powerCut();
    lab.awaitOperatorEnd(BOUND);

    lab.startOperator();

    LabTeam after = lab.awaitTeamReadyAfter(name, before.getStatus().binding().epoch(), BOUND);
    assertThat(student.get(url + "cgi-bin/file?notes").body().strip()).isEqualTo("kept");
    machine.start();
    lab.awaitVmReady(machine.name(), BOUND);
    assertRunsOnceOnly(after);
    lab.delete(LabTeam.class, name, BOUND);
  }

  /** One machine runs the team, the one it is bound to; the file server has one epoch of it. */
  private void assertRunsOnceOnly(LabTeam team) {
    String bound = team.getStatus().binding().vm();
    machines.forEach(
        (name, machine) ->
            assertThat(
                    machine
                        .shell("podman ps --format '{{.Labels}}'")
                        .contains(team.getMetadata().getUid()))
                .as("%s runs %s", name, team.getMetadata().getName())
                .isEqualTo(name.equals(bound)));
    String id = team.getStatus().workspace().id();
    String epochs =
        lab.fileServer().shell("grep -c ' /run/crowdlab/e/.*" + id + "' /proc/mounts || true");
    assertThat(epochs.strip()).as("mounts of %s on the file server", id).isIn("0", "1");
  }
}
