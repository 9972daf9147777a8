package dev.crowdlab.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

@RequiresTestBed(labHosts = false)
class ControlPlaneIT {
  @Test
  void aDeletedNamespaceEndsWithAllThatIsInIt(ControlPlane controlPlane) {
    // given
    KubernetesClient admin = controlPlane.admin();
    createNamespace(admin, "ends");
    admin.resource(configMap("ends")).create();

    // when
    admin.namespaces().withName("ends").delete();

    // then
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> admin.namespaces().withName("ends").get() == null);
  }

  @Test
  void aServiceAccountMayDoOnlyWhatItsRolesAllow(ControlPlane controlPlane) {
    // given
    createNamespace(controlPlane.admin(), "rbac");
    controlPlane.kubectl("-n", "rbac", "create", "serviceaccount", "operator");
    controlPlane.kubectl(
        "-n", "rbac", "create", "role", "reader", "--verb=get,list", "--resource=configmaps");
    controlPlane.kubectl(
        "-n",
        "rbac",
        "create",
        "rolebinding",
        "reader",
        "--role=reader",
        "--serviceaccount=rbac:operator");

    // when
    try (KubernetesClient operator =
        controlPlane.client(controlPlane.kubeconfig("rbac", "operator"))) {
      // then
      assertThat(operator.configMaps().inNamespace("rbac").list().getItems()).isNotNull();
      assertThatThrownBy(() -> operator.resource(configMap("rbac")).create())
          .isInstanceOf(KubernetesClientException.class)
          .hasMessageContaining("forbidden");
    }
  }

  @Test
  void anOutageOfTheApiServerLosesNothing() {
    try (ControlPlane controlPlane = ControlPlane.start()) {
      // given
      KubernetesClient admin = controlPlane.admin();
      admin.resource(configMap("default")).create();

      // when
      controlPlane.stopApiServer();

      // then
      assertThatThrownBy(() -> admin.configMaps().inNamespace("default").list())
          .isInstanceOf(KubernetesClientException.class);
      controlPlane.startApiServer(Duration.ofSeconds(30));
      assertThat(admin.configMaps().inNamespace("default").withName("kept").get()).isNotNull();
    }
  }

  private static void createNamespace(KubernetesClient client, String name) {
    client
        .resource(new NamespaceBuilder().withNewMetadata().withName(name).endMetadata().build())
        .create();
  }

  private static ConfigMap configMap(String namespace) {
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withNamespace(namespace)
        .withName("kept")
        .endMetadata()
        .build();
  }
}
