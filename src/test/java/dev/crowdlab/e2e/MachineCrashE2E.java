package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * The operator dies, as by kill -9, between any two steps of a machine's integration and of its
 * release, and in the middle of what is done on the machine. Each next operator finds what the last
 * one left, and dies one step further on: one machine, one agent, one token, and nothing in the
 * end.
 */
@Order(9)
@RequiresTestBed(handsClusterOn = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MachineCrashE2E {

  private static final Duration BOUND = Duration.ofSeconds(120);

  private Lab lab;
  private LabHost machine;
  private HeldScripts scripts;

  @BeforeAll
  void start(ControlPlane controlPlane, LabNetwork network) {
    lab =
        Lab.start(
            controlPlane,
            network,
            "machine-crash-e2e",
            // The team has nowhere to go.
            "release: {drainBound: 1s, cleanupBound: 120s}\n");
    machine = Lab.machine(network, "m-one", HostOptions.full().image());
    scripts = HeldScripts.on(machine);
  }

  @AfterAll
  void stop() {
    lab.close();
  }

  @Test
  void aMachineComesInAndGoesWhereverItsOperatorsDie() {
    Footprint before = Footprint.of(machine);
    lab.killOperator();

    lab.contribute(machine, "alice", 4);
    for (String step : List.of("vm.connected", "vm.verified", "vm.admitted")) {
      operatorDiesAfter(step);
    }
    operatorDiesWhileTheMachineIsBefore("tar *");
    scripts.kill();
    // The token is there, and the service half: its file is not where it belongs yet.
    operatorDiesWhileTheMachineIsBefore("mv *crowdlab-agent.service");
    scripts.kill();
    // Not enabled and never started: that is not its owner's wish.
    operatorDiesWhileTheMachineIsBefore("systemctl enable*");
    scripts.kill();
    operatorDiesWhileTheMachineIsBefore("systemctl restart*");
    scripts.kill();
    operatorDiesAfter("vm.configured");
    operatorDiesAfter("vm.enrolled");
    lab.startOperatorThatDiesAfter("vm.drained");
    lab.awaitVmReady(machine.name(), BOUND);
    assertOneAgentWithOneToken();

    lab.team("lodger");
    lab.awaitTeamReady("lodger", BOUND);
    lab.client()
        .resources(ContributedVM.class)
        .inNamespace(lab.namespace())
        .withName(machine.name())
        .delete();
    lab.awaitOperatorEnd(BOUND);
    operatorDiesWhileTheMachineIsBefore("userdel *");
    scripts.kill();
    for (String step : List.of("vm.cleaned", "vm.released", "vm.forgotten")) {
      operatorDiesAfter(step);
    }
    lab.startOperator();
    lab.awaitGone(ContributedVM.class, machine.name(), BOUND);

    Footprint.of(machine).assertSame(before);
    assertThat(names(tokens())).as("tokens of machines").isEmpty();
    assertThat(names(baselines())).as("baselines of machines").isEmpty();
    lab.delete(LabTeam.class, "lodger", BOUND);
  }

  private void operatorDiesAfter(String step) {
    lab.startOperatorThatDiesAfter(step);
    lab.awaitOperatorEnd(BOUND);
  }

  private void operatorDiesWhileTheMachineIsBefore(String command) {
    scripts.holdBefore(command);
    lab.startOperator();
    scripts.awaitHeld(BOUND);
    lab.killOperator();
  }

  private void assertOneAgentWithOneToken() {
    String uid = lab.vm(machine.name()).getMetadata().getUid();
    String token = machine.shell("tr -d '\\n' </etc/crowdlab/token | sha256sum | cut -c1-64");
    await("the machine's token is the only one")
        .atMost(BOUND)
        .untilAsserted(
            () ->
                assertThat(tokens())
                    .singleElement()
                    .satisfies(
                        secret -> {
                          assertThat(text(secret, "vm-uid")).isEqualTo(uid);
                          assertThat(text(secret, "tokens"))
                              .containsOnlyOnce("\"sha256\"")
                              .contains(token.strip());
                        }));
    assertThat(names(baselines())).as("baselines").hasSize(1);
    String main = machine.shell("systemctl show -p MainPID --value crowdlab-agent").strip();
    assertThat(machine.shell("pgrep -f '^/opt/crowdlab/'").strip()).as("agents").isEqualTo(main);
    assertThat(machine.shell("ls /opt/crowdlab | grep -c ^agent-").strip())
        .as("agents' folders")
        .isEqualTo("1");
    assertThat(
            machine.shell(
                "find /opt/crowdlab /etc/crowdlab /etc/systemd/system /run -maxdepth 1"
                    + " -name '.partial*' -o -name '*.new' -o -name 'token.*'"
                    + " -o -name 'crowdlab-*.??????'"))
        .as("what was left half done")
        .isEmpty();
  }

  private List<Secret> tokens() {
    return lab.client()
        .secrets()
        .inNamespace(Lab.SYSTEM)
        .withLabel("app.kubernetes.io/component", "crowdlab-agent-token")
        .list()
        .getItems();
  }

  private List<? extends HasMetadata> baselines() {
    return lab.client()
        .configMaps()
        .inNamespace(Lab.SYSTEM)
        .withLabel(Names.VM_UID_LABEL)
        .list()
        .getItems();
  }

  private static List<String> names(List<? extends HasMetadata> objects) {
    return objects.stream().map(object -> object.getMetadata().getName()).toList();
  }

  private static String text(Secret secret, String key) {
    return new String(
        Base64.getDecoder().decode(secret.getData().get(key)), StandardCharsets.UTF_8);
  }
}
