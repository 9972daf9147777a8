package dev.crowdlab.operator;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.Crds;
import dev.crowdlab.api.Names;
import dev.crowdlab.ssh.AddressPolicy;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.io.ByteArrayInputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the operator learns of a real cluster, with the rights that an installation gives it. */
@RequiresTestBed(labHosts = false, ownCluster = true)
class ClusterAddressesIT {

  private static final Duration SOON = Duration.ofSeconds(30);

  /** What a corrected mistake may take. */
  private static final Duration HEALED = Duration.ofSeconds(10);

  private static final String NAMESPACE = "addresses-it";

  private final ControlPlane controlPlane;
  private final KubernetesClient admin;

  ClusterAddressesIT(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
    this.admin = controlPlane.admin();
  }

  @BeforeAll
  static void install(ControlPlane controlPlane) {
    Crds.install(controlPlane.admin());
    controlPlane.installOperator();
    controlPlane
        .admin()
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).endMetadata().build())
        .create();
    node(controlPlane.admin(), "first", "10.99.0.1", "2001:db8:99::1");
  }

  @Test
  void servicesAndNodesAreRefusedAndANewNodeSoonTooAndWhatIsAllowedIsNot() throws Exception {
    try (KubernetesClient operator =
            controlPlane.client(controlPlane.kubeconfig("crowdlab-system", "crowdlab"));
        ClusterAddresses learnt = new ClusterAddresses(operator, Duration.ofMillis(100))) {
      learnt.start();
      AddressPolicy policy = OperatorProcess.addresses(configuration(), learnt);

      assertThat(objection(policy, "10.96.0.1")).contains("it belongs to the cluster");
      assertThat(objection(policy, "10.96.255.254")).contains("it belongs to the cluster");
      assertThat(objection(policy, "10.99.0.1")).contains("it belongs to the cluster");
      assertThat(objection(policy, "2001:db8:99::1")).contains("it belongs to the cluster");
      assertThat(objection(policy, "10.96.7.7")).isEmpty();
      assertThat(objection(policy, "10.99.7.1")).isEmpty();
      // Lab hosts live here.
      assertThat(objection(policy, "10.77.1.2")).isEmpty();
      assertThat(objection(policy, "10.99.0.2")).isEmpty();

      node(admin, "second", "10.99.0.2", "node-2.example.org");
      node(admin, "third", "10.99.7.1", "10.99.0.3");

      await()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(objection(policy, "10.99.0.2")).isPresent());
      await()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(objection(policy, "10.99.0.3")).isPresent());
      assertThat(objection(policy, "10.99.7.1")).isEmpty();
    }
  }

  @Test
  void aMachineThatLeadsIntoTheClusterIsNotDialled() throws Exception {
    Path kubeconfig = controlPlane.kubeconfig("crowdlab-system", "crowdlab");
    try (OperatorProcess _ = OperatorProcess.start(configuration(), Optional.of(kubeconfig))) {
      machine("at-a-service", "10.96.0.1");
      machine("at-a-node", "10.99.0.1");
      machine("at-an-exception", "10.96.7.7");

      await()
          .atMost(SOON)
          .untilAsserted(
              () -> {
                assertThat(reachable("at-a-service")).isEqualTo("False:AddressNotAllowed");
                assertThat(reachable("at-a-node")).isEqualTo("False:AddressNotAllowed");
                assertThat(reachable("at-an-exception"))
                    .startsWith("False:")
                    .isNotEqualTo("False:AddressNotAllowed");
              });

      lead("at-a-service", ownAddress(), 1);
      awaitAllowed("at-a-service");
    }
  }

  @Test
  void aMachineIsDialledWhenTheNodeThatHadItsAddressIsGone() throws Exception {
    // Once: networks of other tests come and go.
    String own = ownAddress();
    node(admin, "short-lived", own, "node-4.example.org");
    Path kubeconfig = controlPlane.kubeconfig("crowdlab-system", "crowdlab");
    try (OperatorProcess _ = OperatorProcess.start(configuration(), Optional.of(kubeconfig))) {
      machine("at-a-short-lived-node", own);
      lead("at-a-short-lived-node", own, 2);
      await()
          .atMost(SOON)
          .until(() -> reachable("at-a-short-lived-node").equals("False:AddressNotAllowed"));

      admin.nodes().withName("short-lived").delete();

      awaitAllowed("at-a-short-lived-node");
    }
  }

  private void awaitAllowed(String name) {
    await()
        .atMost(HEALED)
        .untilAsserted(() -> assertThat(reachable(name)).isNotEqualTo("False:AddressNotAllowed"));
  }

  /** An address that may be dialled, where nobody answers on low ports and the kernel says so. */
  private static String ownAddress() throws SocketException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(Inet4Address.class::isInstance)
        .filter(address -> AddressPolicy.strict().objection(address).isEmpty())
        .findFirst()
        .orElseThrow(() -> new AssertionError("this machine has no address but loopback"))
        .getHostAddress();
  }

  private void lead(String name, String host, int port) {
    admin
        .resources(ContributedVM.class)
        .inNamespace(NAMESPACE)
        .withName(name)
        .patch(
            PatchContext.of(PatchType.JSON_MERGE),
            "{\"spec\": {\"ssh\": {\"host\": \"%s\", \"port\": %d}}}".formatted(host, port));
  }

  private static Optional<String> objection(AddressPolicy policy, String address) throws Exception {
    return policy.objection(InetAddress.getByName(address));
  }

  private static Config configuration() throws Exception {
    return ConfigFile.parse(
        """
        hub: {listen: '127.0.0.1:0', advertise: ['127.0.0.1:8443']}
        waitingRoom: {listen: '127.0.0.1:0'}
        management: {listen: '127.0.0.1:0'}
        network: {allow: [10.96.7.0/24, 10.99.7.0/24]}
        """);
  }

  private static void node(KubernetesClient admin, String name, String internal, String other) {
    admin
        .resource(
            new NodeBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewStatus()
                .addNewAddress(internal, "InternalIP")
                .addNewAddress(other, "Hostname")
                .endStatus()
                .build())
        .create();
  }

  private void machine(String name, String host) {
    admin
        .resource(
            new SecretBuilder()
                .withNewMetadata()
                .withNamespace(NAMESPACE)
                .withName(name)
                .endMetadata()
                .withType(Names.SSH_SECRET_TYPE)
                .withStringData(Map.of(Names.SSH_PRIVATE_KEY, " ", Names.SSH_PASSWORD, "x"))
                .build())
        .create();
    admin
        .load(
            new ByteArrayInputStream(
                """
                apiVersion: crowdlab.dev/v1alpha1
                kind: ContributedVM
                metadata: {namespace: %s, name: %s}
                spec:
                  contributor: {name: alice}
                  ssh:
                    host: %s
                    user: root
                    credentialsSecretRef: {name: %s}
                  capacity: {teams: 1}
                """
                    .formatted(NAMESPACE, name, host, name)
                    .getBytes(UTF_8)))
        .create();
  }

  private String reachable(String name) {
    ContributedVM vm =
        admin.resources(ContributedVM.class).inNamespace(NAMESPACE).withName(name).require();
    return vm.getStatus().conditions().stream()
        .filter(condition -> condition.getType().equals(ConditionType.REACHABLE))
        .map(ClusterAddressesIT::words)
        .findFirst()
        .orElse("-");
  }

  private static String words(Condition condition) {
    return condition.getStatus() + ":" + condition.getReason();
  }
}
