package dev.crowdlab.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Crds;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** News of Secrets from a real API server, with the rights that an installation gives. */
@RequiresTestBed(labHosts = false, ownCluster = true)
class SecretNewsIT {

  private static final Duration SOON = Duration.ofSeconds(5);
  private static final String NAMESPACE = "secret-news-it";

  private final ControlPlane controlPlane;
  private final KubernetesClient admin;
  private final Queue<ResourceID> told = new ConcurrentLinkedQueue<>();
  private KubernetesClient operator;
  private SecretNews news;

  SecretNewsIT(ControlPlane controlPlane) {
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
  }

  @BeforeEach
  void watch() {
    operator = controlPlane.client(controlPlane.kubeconfig("crowdlab-system", "crowdlab"));
    news = new SecretNews(operator, List.of(told::add));
  }

  @AfterEach
  void close() {
    news.close();
    operator.close();
    admin.secrets().inNamespace(NAMESPACE).delete();
  }

  @Test
  void eachChangeIsToldByNameWhateverTheType() {
    create("there-before", "Opaque");
    news.start();
    awaitTold("there-before");

    create("opaque", "Opaque");
    awaitTold("opaque");
    create("ssh", "kubernetes.io/ssh-auth");
    awaitTold("ssh");
    admin
        .secrets()
        .inNamespace(NAMESPACE)
        .withName("opaque")
        .edit(secret -> new SecretBuilder(secret).addToStringData("more", "x").build());
    awaitTold("opaque");
    admin.secrets().inNamespace(NAMESPACE).withName("opaque").delete();
    awaitTold("opaque");
  }

  @Test
  void whatASecretHoldsStaysInTheApiServer() {
    Queue<Secret> seen = new ConcurrentLinkedQueue<>();
    try (KubernetesClient client = SecretNews.metadataOnly(operator);
        Watch _ =
            client
                .secrets()
                .inNamespace(NAMESPACE)
                .watch(
                    new Watcher<>() {
                      @Override
                      public void eventReceived(Action action, Secret secret) {
                        seen.add(secret);
                      }

                      @Override
                      public void onClose(WatcherException cause) {}
                    })) {
      create("precious", "Opaque");

      await().atMost(SOON).until(() -> !seen.isEmpty());
      assertThat(seen.element().getMetadata().getName()).isEqualTo("precious");
      assertThat(seen.element().getData()).isNullOrEmpty();
      assertThat(seen.element().getType()).isNull();
    }
  }

  @Test
  void whatChangedWhileTheApiServerWasAwayIsToldWhenItIsBack() {
    news.start();
    create("before", "Opaque");
    awaitTold("before");

    controlPlane.stopApiServer();
    controlPlane.startApiServer(Duration.ofSeconds(60));
    create("after", "Opaque");

    awaitTold("after", Duration.ofSeconds(20));
  }

  @Test
  void theHubsIdentityThatSomebodyDeletesIsBackAtOnceAndTheSame() throws Exception {
    Config configuration =
        ConfigFile.parse(
            """
            hub: {listen: '127.0.0.1:0', advertise: ['127.0.0.1:8443']}
            waitingRoom: {listen: '127.0.0.1:0'}
            management: {listen: '127.0.0.1:0'}
            """);
    Path kubeconfig = controlPlane.kubeconfig("crowdlab-system", "crowdlab");
    try (OperatorProcess _ = OperatorProcess.start(configuration, Optional.of(kubeconfig))) {
      var identity = admin.secrets().inNamespace("crowdlab-system").withName("crowdlab-hub-tls");
      await().atMost(Duration.ofSeconds(20)).until(() -> identity.get() != null);
      Map<String, String> data = identity.require().getData();

      identity.delete();

      await()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(identity.require().getData()).isEqualTo(data));
    }
  }

  private void create(String name, String type) {
    admin
        .resource(
            new SecretBuilder()
                .withNewMetadata()
                .withNamespace(NAMESPACE)
                .withName(name)
                .endMetadata()
                .withType(type)
                .withStringData(Map.of("ssh-privatekey", "precious"))
                .build())
        .create();
  }

  private void awaitTold(String name) {
    awaitTold(name, SOON);
  }

  private void awaitTold(String name, Duration bound) {
    await(name).atMost(bound).until(() -> told.contains(new ResourceID(name, NAMESPACE)));
    told.clear();
  }
}
