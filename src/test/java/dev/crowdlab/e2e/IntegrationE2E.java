package dev.crowdlab.e2e;

import static dev.crowdlab.core.Conditions.find;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.Names;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Machines as their contributors have them: how they come in, what goes wrong, how they go. */
@RequiresTestBed(handsClusterOn = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class IntegrationE2E {

  private static final Duration BOUND = Duration.ofSeconds(180);

  /** "Within seconds" is what is promised. */
  private static final Duration SECONDS = Duration.ofSeconds(10);

  private Lab lab;
  private LabNetwork network;

  @BeforeAll
  void start(ControlPlane controlPlane, LabNetwork labNetwork) {
    network = labNetwork;
    lab = Lab.start(controlPlane, labNetwork, "integration-e2e");
  }

  @AfterAll
  void stop() {
    lab.close();
  }

  @Test
  void aBareMachineWithASudoUserOnAnotherPortGetsItsPackagesAndGivesThemBack() {
    LabHost host =
        Lab.machine(network, "i-sudo", HostOptions.bare().sudoUser("lender").sshPort(2200));
    Set<String> before = listing(host);
    String packages = host.shell("dpkg-query -W -f '${Package}\\n' | sort");
    String users = host.shell("cut -d: -f1 /etc/passwd | sort");

    lab.contribute(host, "bob", 4);
    lab.awaitVmReady(host.name(), BOUND);
    assertThat(host.succeeds("podman", "--version")).isTrue();

    lab.delete(ContributedVM.class, host.name(), BOUND);

    assertThat(host.shell("dpkg-query -W -f '${Package}\\n' | sort")).isEqualTo(packages);
    assertThat(host.shell("cut -d: -f1 /etc/passwd | sort")).isEqualTo(users);
    assertThat(listing(host)).isEqualTo(before);
  }

  @Test
  void aSecondReconcileChangesNothingOnTheMachine() {
    LabHost host = Lab.machine(network, "i-same", HostOptions.full());
    lab.contribute(host, "carol", 4);
    lab.awaitVmReady(host.name(), BOUND);
    Set<String> before = settled(host);
    String agent = host.shell("systemctl show -p MainPID --value crowdlab-agent");

    lab.client()
        .resources(ContributedVM.class)
        .inNamespace(lab.namespace())
        .withName(host.name())
        .edit(
            vm -> {
              vm.setSpec(
                  new dev.crowdlab.api.ContributedVMSpec(
                      vm.getSpec().contributor(),
                      vm.getSpec().ssh(),
                      vm.getSpec().capacity(),
                      true,
                      false,
                      new dev.crowdlab.api.IntegritySpec(
                          vm.getSpec().integrity().policy(),
                          List.of("/etc/hostname"),
                          List.of(),
                          null,
                          List.of(),
                          vm.getSpec().integrity().onViolation()),
                      List.of()));
              return vm;
            });
    long generation = lab.vm(host.name()).getMetadata().getGeneration();
    lab.awaitVm(
        host.name(),
        "integrated again",
        vm ->
            vm.getStatus().observedGeneration() == generation
                && Lab.isReady(vm.getStatus().conditions()),
        BOUND);

    assertThat(settled(host)).isEqualTo(before);
    assertThat(host.shell("systemctl show -p MainPID --value crowdlab-agent")).isEqualTo(agent);
  }

  @Test
  void anUnknownHostKeyWaitsForApprovalAndNothingIsSentBefore() {
    LabHost host = Lab.machine(network, "i-key", HostOptions.full());
    lab.secret(lab.namespace(), host.name() + "-ssh", network.privateKey());
    lab.apply(
        ContributedVM.class, lab.vmYaml(host, "dave", 4).replaceAll("hostKey: '[^']*', ", ""));

    ContributedVM waiting =
        lab.awaitVm(
            host.name(),
            "HostKeyNotApproved",
            vm -> reason(vm).equals("HostKeyNotApproved"),
            BOUND);
    assertThat(
            Set.of(host.fingerprint("ed25519"), host.fingerprint("ecdsa"), host.fingerprint("rsa")))
        .contains(waiting.getStatus().hostKey());
    assertThat(attempts(host)).isEqualTo("0");

    annotate(host.name(), Names.APPROVE_HOST_KEY, waiting.getStatus().hostKey());

    lab.awaitVmReady(host.name(), BOUND);
    assertThat(attempts(host)).as("what the journal shows of logins").isNotEqualTo("0");
  }

  /** How often somebody tried to log in, whether he was let in or not. */
  private static String attempts(LabHost host) {
    return host.shell(
            "journalctl -u ssh --no-pager"
                + " | grep -cE 'Accepted|Failed|authenticating user' || true")
        .strip();
  }

  @Test
  void aChangedHostKeyIsRefusedAndSaid() {
    LabHost host = Lab.machine(network, "i-changed", HostOptions.full());
    lab.secret(lab.namespace(), host.name() + "-ssh", network.privateKey());
    lab.apply(
        ContributedVM.class,
        lab.vmYaml(host, "erin", 4)
            .replaceAll(
                "hostKey: '[^']*'",
                "hostKey: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'"));

    lab.awaitVm(host.name(), "HostKeyChanged", vm -> reason(vm).equals("HostKeyChanged"), BOUND);

    assertThat(host.shell("journalctl -u ssh --no-pager | grep -c Accepted || true").strip())
        .isEqualTo("0");
  }

  @Test
  void aSecretThatIsOfNoUseIsSaidEachWayAndTheRightOneHealsWithinSeconds() {
    LabHost host = Lab.machine(network, "i-secret", HostOptions.full());
    String right = network.privateKey();
    Map<String, String> rightKey = Map.of(Names.SSH_PRIVATE_KEY, right);
    lab.apply(ContributedVM.class, lab.vmYaml(host, "frank", 4));
    // The operator may be starting yet.
    lab.awaitVm("i-secret", "SecretNotFound", vm -> reason(vm).equals("SecretNotFound"), BOUND);
    secret("Opaque", rightKey);
    awaitSaid("SecretInvalid", "is of type Opaque");
    secret(Names.SSH_SECRET_TYPE, rightKey);
    awaitLetIn(host.name());
    lab.awaitVmReady(host.name(), BOUND);

    // Now the same, and more, to a machine that was well.
    lab.client().secrets().inNamespace(lab.namespace()).withName("i-secret-ssh").delete();
    awaitSaid("SecretNotFound", "does not exist");
    secret(Names.SSH_SECRET_TYPE, rightKey);
    awaitHealed();

    secret("Opaque", rightKey);
    awaitSaid("SecretInvalid", "is of type Opaque");
    secret(Names.SSH_SECRET_TYPE, rightKey);
    awaitHealed();

    // The API server sees to it that there is a key, but not that there is anything in it.
    edited(Map.of(Names.SSH_PRIVATE_KEY, "\n"));
    awaitSaid("SecretInvalid", "neither a private key");
    edited(rightKey);
    awaitHealed();

    edited(Map.of(Names.SSH_PRIVATE_KEY, right.substring(0, right.length() / 2)));
    awaitSaid("SecretInvalid", "cannot be used");
    edited(rightKey);
    awaitHealed();

    String locked = locked(host, right);
    edited(Map.of(Names.SSH_PRIVATE_KEY, locked));
    awaitSaid("PassphraseRequired", "has no passphrase");
    edited(Map.of(Names.SSH_PRIVATE_KEY, locked, Names.SSH_PASSPHRASE, "open sesame"));
    awaitHealed();

    edited(Map.of(Names.SSH_PRIVATE_KEY, locked, Names.SSH_PASSPHRASE, "open barley"));
    awaitSaid("PassphraseRequired", "does not open");
    edited(rightKey);
    awaitHealed();

    edited(Map.of(Names.SSH_PRIVATE_KEY, stranger(host)));
    awaitSaid("AuthenticationFailed", "refused the credentials");
    edited(rightKey);
    awaitHealed();

    edited(Map.of(Names.SSH_PRIVATE_KEY, "\n", Names.SSH_PASSWORD, "wrong"));
    awaitSaid("AuthenticationFailed", "refused the credentials");
    edited(rightKey);
    awaitHealed();
  }

  private void secret(String type, Map<String, String> data) {
    lab.replaceSecret(lab.namespace(), "i-secret-ssh", type, data);
  }

  private void edited(Map<String, String> data) {
    lab.client()
        .secrets()
        .inNamespace(lab.namespace())
        .withName("i-secret-ssh")
        .edit(
            secret -> {
              secret.setData(null);
              secret.setStringData(data);
              return secret;
            });
  }

  private void awaitSaid(String reason, String part) {
    lab.awaitVm(
        "i-secret",
        reason + ", " + part,
        vm ->
            find(vm.getStatus().conditions(), ConditionType.REACHABLE)
                    .filter(c -> c.getReason().equals(reason) && c.getMessage().contains(part))
                    .isPresent()
                && reason(vm).equals(reason),
        SECONDS);
  }

  private void awaitHealed() {
    lab.awaitVmReady("i-secret", SECONDS);
  }

  /** The same key, encrypted with "open sesame". */
  private static String locked(LabHost host, String key) {
    host.write("/run/locked", key);
    return host.shell(
        "chmod 600 /run/locked; ssh-keygen -q -p -P '' -N 'open sesame' -f /run/locked >&2;"
            + " cat /run/locked");
  }

  /** A key that the machine does not know. */
  private static String stranger(LabHost host) {
    return host.shell("ssh-keygen -q -t ed25519 -N '' -f /run/stranger; cat /run/stranger");
  }

  private void awaitLetIn(String name) {
    lab.awaitVm(
        name,
        "let in",
        vm ->
            find(vm.getStatus().conditions(), ConditionType.REACHABLE)
                .filter(c -> c.getStatus().equals("True"))
                .isPresent(),
        SECONDS);
  }

  @Test
  void twoObjectsForOneMachineAreTold() {
    LabHost host = Lab.machine(network, "i-twin", HostOptions.full());
    lab.contribute(host, "grace", 4);
    lab.awaitVmReady(host.name(), BOUND);
    lab.apply(
        ContributedVM.class,
        lab.vmYaml(host, "grace", 4).replace("name: i-twin,", "name: i-twin-again,"));

    ContributedVM refused =
        lab.awaitVm(
            "i-twin-again", "DuplicateMachine", vm -> reason(vm).equals("DuplicateMachine"), BOUND);

    assertThat(find(refused.getStatus().conditions(), "Ready").map(Condition::getMessage))
        .hasValueSatisfying(message -> assertThat(message).contains("i-twin"));
    assertThat(Lab.isReady(lab.vm(host.name()).getStatus().conditions())).isTrue();

    lab.delete(ContributedVM.class, host.name(), BOUND);

    awaitLetIn("i-twin-again");
  }

  /**
   * The machine's files, but for what dpkg and the linker keep for themselves (packages are
   * compared by name).
   */
  private static Set<String> listing(LabHost host) {
    return host.listing().stream()
        .filter(file -> !file.matches(".*\\./(var/lib/dpkg|var/lib/apt)/.*"))
        .filter(file -> !file.contains("./etc/ld.so.cache"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Without the agent's stock of networks, which it fills up behind. */
  private static Set<String> settled(LabHost host) {
    return listing(host).stream()
        .filter(file -> !file.contains("./etc/containers/networks/crowdlab-"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private void annotate(String name, String key, String value) {
    lab.client()
        .resources(ContributedVM.class)
        .inNamespace(lab.namespace())
        .withName(name)
        .edit(
            vm -> {
              Map<String, String> annotations = new HashMap<>();
              if (vm.getMetadata().getAnnotations() != null) {
                annotations.putAll(vm.getMetadata().getAnnotations());
              }
              annotations.put(key, value);
              vm.getMetadata().setAnnotations(annotations);
              return vm;
            });
  }

  private static String reason(ContributedVM vm) {
    return find(vm.getStatus().conditions(), "Ready").map(Condition::getReason).orElse("");
  }
}
