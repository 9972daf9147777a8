package dev.crowdlab.e2e;

import static dev.crowdlab.core.Conditions.find;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.api.VmPhase;
import dev.crowdlab.testbed.Browser;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.ImageRegistry;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import dev.crowdlab.testbed.TestBed;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** How machines, and whole namespaces, go: clean, and in bounded time. */
@Order(4)
@RequiresTestBed(handsClusterOn = true)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ReleaseE2E {

  private static final Duration BOUND = Duration.ofMinutes(2);

  /** Enough for a machine that boots and purges in the middle of it, next to other tests. */
  private static final Duration CLEANUP_BOUND = Duration.ofSeconds(90);

  /** Of a machine that is gone. */
  private static final Duration SHORT_CLEANUP_BOUND = Duration.ofSeconds(10);

  private static final Duration DRAIN_BOUND = Duration.ofSeconds(15);

  private static final String SECRETS = "secrets";
  private static final String MACHINES = "contributedvms";
  private static final String TEAMS = "labteams";

  /** What goes before a namespace does, by the name of that order. */
  private static final Map<String, List<String>> ORDERS =
      Map.of(
          "all", List.of(),
          "smt", List.of(SECRETS, MACHINES, TEAMS),
          "stm", List.of(SECRETS, TEAMS, MACHINES),
          "mst", List.of(MACHINES, SECRETS, TEAMS),
          "mts", List.of(MACHINES, TEAMS, SECRETS),
          "tsm", List.of(TEAMS, SECRETS, MACHINES),
          "tms", List.of(TEAMS, MACHINES, SECRETS));

  private ControlPlane controlPlane;
  private LabNetwork network;
  private Lab lab;
  private Browser student;

  @BeforeAll
  void start(ControlPlane plane, LabNetwork labNetwork, IngressBed ingress) {
    controlPlane = plane;
    network = labNetwork;
    lab = Lab.start(plane, labNetwork, "release-e2e", bounds(DRAIN_BOUND, CLEANUP_BOUND));
    student = new Browser(ingress.address());
  }

  private static String bounds(Duration drain, Duration cleanup) {
    return "release: {drainBound: %ds, cleanupBound: %ds}\n"
        .formatted(drain.toSeconds(), cleanup.toSeconds());
  }

  @AfterAll
  void stop() {
    student.close();
    lab.close();
  }

  /**
   * Over SSH first; then, when its Secret is gone, by its agent, whose machine loses its power in
   * the middle of it.
   */
  @Test
  void aBareRootMachineIsGivenBackAsItWasOverSshAndByItsAgent() {
    LabHost host = Lab.machine(network, "q-bare", HostOptions.bare());
    Footprint before = Footprint.of(host);

    lab.contribute(host, "alice", 4);
    ContributedVM first = lab.awaitVmReady(host.name(), BOUND);
    assertThat(Footprint.of(host).isInstalled()).isTrue();
    lab.delete(ContributedVM.class, host.name(), BOUND);

    Footprint.of(host).assertSame(before);
    awaitEvent(first, "Deleting", "The machine is as it was before");

    lab.contribute(host, "alice", 4);
    ContributedVM second = lab.awaitVmReady(host.name(), BOUND);
    deleteSecret(host.name() + "-ssh");
    lab.client()
        .resources(ContributedVM.class)
        .inNamespace(lab.namespace())
        .withName(host.name())
        .delete();
    await("podman goes")
        .atMost(BOUND)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> !host.succeeds("test", "-e", "/usr/bin/podman"));
    host.powerCut();
    host.start();
    lab.awaitGone(ContributedVM.class, host.name(), BOUND);

    awaitEvent(second, "Deleting", "The machine is as it was before");
    awaitAgentGone(host);
    Footprint.of(host).assertSame(before);
  }

  /**
   * Because its object is deleted; then because its contributor says so on the machine. And keeps
   * nothing of them, not even the image that was pulled for them.
   */
  @Test
  void aMachineThatIsGivenBackHandsItsTeamsOnFirst(TestBed bed) {
    try (ImageRegistry registry = ImageRegistry.open(bed, network)) {
      aMachineThatIsGivenBackHandsItsTeamsOnFirst(registry);
    }
  }

  private void aMachineThatIsGivenBackHandsItsTeamsOnFirst(ImageRegistry registry) {
    Map<String, LabHost> hosts = new LinkedHashMap<>();
    Map<String, Footprint> before = new LinkedHashMap<>();
    for (String name : List.of("q-one", "q-two")) {
      hosts.put(name, Lab.machine(network, name, HostOptions.full().image()));
      registry.trustedBy(hosts.get(name));
      before.put(name, Footprint.of(hosts.get(name)));
      lab.contribute(hosts.get(name), name, 4);
    }
    hosts.keySet().forEach(name -> lab.awaitVmReady(name, BOUND));
    lab.apply(
        LabTeam.class, lab.teamYaml("moves").replace("localhost/exercise:1", registry.image()));
    LabTeam placed = lab.awaitTeamReady("moves", BOUND);
    String from = placed.getStatus().binding().vm();
    String file = placed.getStatus().url() + "cgi-bin/file?notes";
    assertThat(student.post(file, "kept").status()).isEqualTo(200);

    lab.delete(ContributedVM.class, from, BOUND);

    LabTeam moved = lab.awaitTeamReadyAfter("moves", placed.getStatus().binding().epoch(), BOUND);
    Recovery move = moved.getStatus().recoveries().getFirst();
    assertThat(move.cause()).isEqualTo(RecoveryCause.VM_DELETED);
    assertThat(move.from()).isEqualTo(from);
    assertThat(move.to()).isEqualTo(moved.getStatus().binding().vm()).isNotEqualTo(from);
    assertThat(student.get(file).body()).isEqualTo("kept");
    Footprint.of(hosts.get(from)).assertSame(before.get(from));

    String to = moved.getStatus().binding().vm();
    lab.contribute(hosts.get(from), from, 4);
    lab.awaitVmReady(from, BOUND);
    LabTeam back = aContributorWhoLeavesHasTheMachineBack(hosts.get(to), moved, before.get(to));
    assertThat(back.getStatus().binding().vm()).isEqualTo(from);
    assertThat(student.get(file).body()).isEqualTo("kept");

    aHostKeyThatChangesLaterIsRefusedAndSaid(hosts.get(from), back, file);
  }

  /** It stays the contributor's until a person takes it in again. */
  private LabTeam aContributorWhoLeavesHasTheMachineBack(
      LabHost host, LabTeam team, Footprint before) {
    host.exec("crowdlab-agent", "leave");

    ContributedVM left =
        lab.awaitVm(host.name(), "Left", vm -> readyReason(vm).equals("Left"), BOUND);
    LabTeam moved =
        lab.awaitTeamReadyAfter(
            team.getMetadata().getName(), team.getStatus().binding().epoch(), BOUND);
    assertThat(moved.getStatus().recoveries().getFirst().cause())
        .isEqualTo(RecoveryCause.VM_DRAINED);
    awaitEvent(left, "Left", "The machine is as it was before");
    Footprint.of(host).assertSame(before);
    assertThat(left.getStatus().phase()).isEqualTo(VmPhase.LEFT);
    // GitOps applies the object once more, and changes it.
    edit(host.name(), "{\"spec\": {\"schedulable\": false}}");
    ContributedVM edited =
        lab.awaitVm(
            host.name(),
            "looked at again",
            vm -> vm.getStatus().observedGeneration() > left.getStatus().observedGeneration(),
            BOUND);
    assertThat(readyReason(edited)).isEqualTo("Left");
    assertThat(edited.getStatus().voice()).isEqualTo(left.getStatus().voice());

    edit(
        host.name(),
        "{\"metadata\": {\"annotations\": {\"%s\": \"%s\"}}}"
            .formatted(Names.REJOIN, left.getStatus().voice().id()));

    ContributedVM rejoined = lab.awaitVmReady(host.name(), BOUND);
    assertThat(rejoined.getStatus().voice()).isNull();
    return moved;
  }

  /** The machine is in use: its team goes on, over the agent's connection. */
  private void aHostKeyThatChangesLaterIsRefusedAndSaid(LabHost host, LabTeam team, String file) {
    long epoch = team.getStatus().binding().epoch();
    host.shell("rm /etc/ssh/ssh_host_*; ssh-keygen -A >/dev/null; systemctl restart ssh");
    String untried = connections(host);

    edit(host.name(), "{\"spec\": {\"integrity\": {\"protectedPaths\": [\"/etc/hostname\"]}}}");

    ContributedVM refused =
        lab.awaitVm(
            host.name(), "HostKeyChanged", vm -> readyReason(vm).equals("HostKeyChanged"), BOUND);
    assertThat(find(refused.getStatus().conditions(), "Stalled")).isPresent();
    awaitEvent(refused, "HostKeyChanged", "");
    await("sshd's word on the one that was refused")
        .atMost(Duration.ofSeconds(10))
        .until(() -> !connections(host).equals(untried));
    String connections = connections(host);
    for (boolean schedulable : List.of(false, true, false, true)) {
      // Each of these is another turn of the reconciler.
      edit(host.name(), "{\"spec\": {\"schedulable\": %s}}".formatted(schedulable));
      long generation = lab.vm(host.name()).getMetadata().getGeneration();
      lab.awaitVm(
          host.name(),
          "looked at again",
          vm -> vm.getStatus().observedGeneration() == generation,
          BOUND);
    }
    assertThat(connections(host)).isEqualTo(connections);
    assertThat(student.post(file, "still here").status()).isEqualTo(200);

    String fingerprint =
        host.shell("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | awk '{ print $2 }'").strip();
    edit(host.name(), "{\"spec\": {\"ssh\": {\"hostKey\": \"%s\"}}}".formatted(fingerprint));

    lab.awaitVmReady(host.name(), BOUND);
    LabTeam after = lab.teamNow("moves");
    assertThat(after.getStatus().binding().epoch()).isEqualTo(epoch);
    assertThat(student.get(file).body()).isEqualTo("still here");
  }

  @Test
  void aMachineThatIsSkippedKeepsEverythingAndOneThatIsGoneIsGivenUp() {
    LabHost host = Lab.machine(network, "q-gone", HostOptions.full());
    lab.contribute(host, "carol", 4);
    ContributedVM skipped = lab.awaitVmReady(host.name(), BOUND);
    edit(
        host.name(),
        "{\"metadata\": {\"annotations\": {\"%s\": \"true\"}}}".formatted(Names.FORCE_DELETE));

    lab.delete(ContributedVM.class, host.name(), Duration.ofSeconds(10));

    awaitEvent(skipped, "CleanupAbandoned", "force-delete");
    assertThat(Footprint.of(host).isInstalled()).isTrue();

    lab.contribute(host, "carol", 4);
    ContributedVM gone = lab.awaitVmReady(host.name(), BOUND);
    host.powerCut();
    lab.restartOperatorWith(bounds(Duration.ofSeconds(1), SHORT_CLEANUP_BOUND));
    try {
      Instant deleted = Instant.now();
      lab.delete(ContributedVM.class, host.name(), BOUND);

      assertThat(Duration.between(deleted, Instant.now()))
          .isBetween(SHORT_CLEANUP_BOUND.minusSeconds(1), SHORT_CLEANUP_BOUND.plusSeconds(40));
      awaitEvent(gone, "CleanupAbandoned", "The machine was not cleaned");
    } finally {
      lab.restartOperatorWith(bounds(DRAIN_BOUND, CLEANUP_BOUND));
    }
  }

  /** All side by side: each has a machine, a team and Secrets in a namespace of its own. */
  @Test
  void aNamespaceEndsInEveryOrderWithCleanMachines() throws Exception {
    Map<String, LabHost> hosts = new LinkedHashMap<>();
    Map<String, Footprint> before = new LinkedHashMap<>();
    for (String order : ORDERS.keySet()) {
      LabHost host = Lab.machine(network, "q-" + order, HostOptions.full().image());
      hosts.put(order, host);
      before.put(order, Footprint.of(host));
      lab.createNamespace(namespace(order));
      lab.secret(namespace(order), host.name() + "-ssh", network.privateKey());
      lab.apply(ContributedVM.class, in(order, lab.vmYaml(host, "dave", 4)));
      lab.apply(LabTeam.class, in(order, lab.teamYaml("team-7")));
    }
    for (String order : ORDERS.keySet()) {
      await("the team of " + order)
          .atMost(BOUND)
          .until(
              () ->
                  Lab.isReady(
                      lab.client()
                          .resources(LabTeam.class)
                          .inNamespace(namespace(order))
                          .withName("team-7")
                          .get()
                          .getStatus()
                          .conditions()));
    }

    Map<String, Future<?>> ends = new LinkedHashMap<>();
    try (ExecutorService each = Executors.newVirtualThreadPerTaskExecutor()) {
      ORDERS.forEach(
          (order, kinds) ->
              ends.put(order, each.submit(() -> deleteEachThenTheNamespace(order, kinds))));
    }

    for (String order : ORDERS.keySet()) {
      ends.get(order).get();
      awaitAgentGone(hosts.get(order));
      Footprint.of(hosts.get(order)).assertSame(before.get(order));
    }
  }

  /** Each kind is gone before the next one goes. */
  private void deleteEachThenTheNamespace(String order, List<String> kinds) {
    boolean teamStays = true;
    for (String kind : kinds) {
      Instant deleted = Instant.now();
      controlPlane.kubectl(
          "delete", kind, "--all", "--wait=false", "--namespace", namespace(order));
      await("no %s in order %s".formatted(kind, order))
          .atMost(BOUND)
          .until(() -> isNone(kind, namespace(order)));
      if (kind.equals(MACHINES) && teamStays) {
        assertThat(Duration.between(deleted, Instant.now()))
            .as("how long a machine waits for a team that has nowhere to go, " + order)
            .isGreaterThan(DRAIN_BOUND.minusSeconds(1));
      }
      teamStays &= !kind.equals(TEAMS);
    }
    controlPlane.kubectl("delete", "namespace", namespace(order), "--wait=false");
    await("the namespace of " + order + " ends")
        .atMost(BOUND)
        .until(() -> lab.client().namespaces().withName(namespace(order)).get() == null);
  }

  private boolean isNone(String kind, String namespace) {
    var client = lab.client();
    var objects =
        switch (kind) {
          case SECRETS -> client.secrets();
          case MACHINES -> client.resources(ContributedVM.class);
          default -> client.resources(LabTeam.class);
        };
    return objects.inNamespace(namespace).list().getItems().isEmpty();
  }

  private static String namespace(String order) {
    return "release-e2e-" + order;
  }

  private static String in(String order, String yaml) {
    return yaml.replace("release-e2e", namespace(order));
  }

  /** An agent that cleaned its machine goes itself right after it said so. */
  private static void awaitAgentGone(LabHost host) {
    await(host.name() + " has no agent")
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                !host.succeeds("test", "-e", "/var/lib/crowdlab")
                    && !host.succeeds("systemctl", "is-active", "crowdlab-uninstall"));
  }

  private void deleteSecret(String name) {
    lab.client().secrets().inNamespace(lab.namespace()).withName(name).delete();
  }

  /** What sshd says of those who spoke to it; whoever only reads its greeting is not among them. */
  private static String connections(LabHost host) {
    return host.shell(
        "journalctl -u ssh --no-pager | grep -c 'Disconnected from\\|Accepted' || true");
  }

  private void awaitEvent(HasMetadata about, String reason, String note) {
    await("event " + reason)
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () ->
                assertThat(
                        lab.events().stream()
                            .filter(
                                event ->
                                    about
                                            .getMetadata()
                                            .getUid()
                                            .equals(event.getRegarding().getUid())
                                        && reason.equals(event.getReason()))
                            .map(Event::getNote))
                    .anyMatch(text -> text.contains(note)));
  }

  private void edit(String name, String patch) {
    controlPlane.kubectl(
        "patch",
        "contributedvm",
        name,
        "--namespace",
        lab.namespace(),
        "--type=merge",
        "--patch",
        patch);
  }

  private static String readyReason(ContributedVM vm) {
    return find(vm.getStatus().conditions(), "Ready").map(Condition::getReason).orElse("");
  }
}
