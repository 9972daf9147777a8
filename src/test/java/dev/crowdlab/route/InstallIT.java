package dev.crowdlab.route;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Crds;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.operator.Config;
import dev.crowdlab.operator.ConfigFile;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.RequiresTestBed;
import dev.crowdlab.testbed.TestBed;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReviewBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The manifests as users apply them, and what they let the operator do. */
@RequiresTestBed(labHosts = false)
class InstallIT {

  private static final Path RENDER = Path.of("manifests/install/render");
  private static final Path MANIFEST = Path.of("manifests/install/crowdlab.yaml");
  private static final String NAMESPACE = "install-it";
  private static final String ACCOUNT = "system:serviceaccount:crowdlab-system:crowdlab";

  private final ControlPlane controlPlane;

  InstallIT(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
  }

  @BeforeAll
  static void install(ControlPlane controlPlane) {
    Crds.install(controlPlane.admin());
    controlPlane.installOperator();
    controlPlane
        .admin()
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).endMetadata().build())
        .serverSideApply();
  }

  @Test
  void theManifestIsWhatTheChartRenders(TestBed bed) throws IOException {
    assertThat(bed.withHelm(RENDER)).isEqualTo(Files.readString(MANIFEST));
  }

  @Test
  void theConfigurationInItIsOneThatTheOperatorTakes(@TempDir Path folder) throws Exception {
    ConfigMap map =
        controlPlane
            .admin()
            .configMaps()
            .inNamespace("crowdlab-system")
            .withName("crowdlab")
            .require();
    // The pod's environment has the address.
    String yaml = map.getData().get("config.yaml").replace("$(POD_IP)", "10.1.2.3");
    Path file = Files.writeString(folder.resolve("config.yaml"), yaml);

    Config config = ConfigFile.read(file);

    assertThat(config.namespace()).isEqualTo("crowdlab-system");
    assertThat(config.leaderElection().enabled()).isTrue();
    assertThat(config.management().listen()).hasToString("0.0.0.0:8080");
  }

  @Test
  void everyFieldOfTheConfigurationCanBeSetInTheValues(TestBed bed, @TempDir Path folder)
      throws Exception {
    Path values =
        Files.writeString(
            folder.resolve("values.yaml"),
            """
            config:
              installation: abcdef
              detection: {heartbeats: {coreShare: 0.1, slow: 10s}, suspicion: {phi: 9}, probes: {count: 20},
                patience: {agentHang: 20s}, storm: {share: 0.5, least: 5}, self: {stall: 1s}}
              fileServer: {name: f, host: f.example.org, port: 22, user: root, sudo: false, hostKey: "SHA256:x",
                credentialsSecret: s, sftpPort: 2222, dataDirectory: /srv, retention: 7d}
              route: {sources: [10.0.0.0/8, "2001:db8::/32"], allowedAnnotations: [a/*], firstPort: 20000, lastPort: 20999}
              waitingRoom: {advertise: "[2001:db8::1]:8090", hold: 1m30s, maxHeld: 5}
              network: {allow: [10.0.0.0/8], deny: [10.96.0.0/16]}
              integrity: {quarantine: true, reverify: 1h}
              returning: {stable: 20s, longest: 1h, forgive: 1d}
            networkPolicy: {enabled: true, waitingRoomFrom: [{podSelector: {}}], metricsFrom: [{podSelector: {}}]}
            """);

    String yaml = bed.withHelm(RENDER, "--values", values.toString());
    List<HasMetadata> rendered =
        controlPlane.admin().load(new ByteArrayInputStream(yaml.getBytes(UTF_8))).items();

    ConfigMap map =
        rendered.stream()
            .filter(ConfigMap.class::isInstance)
            .map(ConfigMap.class::cast)
            .findFirst()
            .orElseThrow();
    Config config =
        ConfigFile.read(
            Files.writeString(folder.resolve("c.yaml"), map.getData().get("config.yaml")));
    assertThat(config.waitingRoom().hold()).isEqualTo(Duration.ofSeconds(90));
    assertThat(config.detection().storm().share()).isEqualTo(0.5);
    assertThat(config.fileServer()).isNotNull();
    assertThat(config.waitingRoom().advertise()).hasToString("[2001:db8::1]:8090");
    assertThat(rendered).extracting(HasMetadata::getKind).contains("NetworkPolicy");
  }

  @ParameterizedTest
  @CsvSource({
    "config.hub.advertise=, advertise",
    "config.hub.advertise={nowhere}, advertise",
    "config.waitingRoom.hold=soon, hold",
    "config.nonsense=1, nonsense",
    "replica=2, replica",
  })
  void valuesThatCanNotWorkAreRefusedByName(String setting, String field, TestBed bed) {
    assertThatThrownBy(() -> bed.withHelm(RENDER, "--set", setting)).hasMessageContaining(field);
  }

  @Test
  void itsRightsAreEnoughForRoutes() {
    try (KubernetesClient operator =
        controlPlane.client(controlPlane.kubeconfig("crowdlab-system", "crowdlab"))) {
      KubernetesRoutes routes =
          new KubernetesRoutes(
              operator,
              new RouteSettings(Set.of(), null),
              host -> operator.resources(LabTeam.class).inAnyNamespace().list().getItems(),
              Lobby.none());
      LabTeam team = new LabTeam();
      team.setMetadata(new ObjectMetaBuilder().withNamespace(NAMESPACE).withName("team-7").build());
      team.setSpec(Teams.spec(Teams.access("install-it.example.org", "/")));
      team = controlPlane.admin().resource(team).create();

      try (RouteWatch watch = new RouteWatch(operator, routes, _ -> {})) {
        watch.start();
        await().atMost(Duration.ofSeconds(20)).until(watch::isWatching);
      }
      assertThat(routes.point(team, new Routes.Target.Exercise("10.77.1.2", 20_001)))
          .isInstanceOf(Outcome.Done.class);
      assertThat(routes.point(team, new Routes.Target.Exercise("2001:db8::1", 20_001)))
          .isInstanceOf(Outcome.Done.class);
      assertThat(routes.remove(Teams.ref(team))).isEqualTo(Outcome.done());
      controlPlane.admin().resource(team).delete();
    }
  }

  @ParameterizedTest(name = "{0} {2} in {3}: {4}")
  @CsvSource({
    // verb, group, resource, namespace, allowed
    "patch,  crowdlab.dev,        labteams,             install-it,      true",
    "update, crowdlab.dev,        labteams/status,      install-it,      true",
    "get,    '',                  secrets,              install-it,      true",
    "create, events.k8s.io,       events,               install-it,      true",
    "create, '',                  secrets,              crowdlab-system, true",
    "update, coordination.k8s.io, leases,               crowdlab-system, true",
    "patch,  coordination.k8s.io, leases,               crowdlab-system, true",
    "list,   '',                  nodes,                '',              true",
    "list,   networking.k8s.io,   servicecidrs,         '',              true",
    "get,    '',                  services,             default,         true",
    "patch,  '',                  nodes,                '',              false",
    "patch,  networking.k8s.io,   servicecidrs,         '',              false",
    "create, crowdlab.dev,        labteams,             install-it,      false",
    "delete, crowdlab.dev,        contributedvms,       install-it,      false",
    "update, '',                  configmaps,           crowdlab-system, true",
    "get,    '',                  configmaps,           install-it,      false",
    "create, '',                  secrets,              install-it,      false",
    "update, '',                  secrets,              install-it,      false",
    "delete, '',                  secrets,              install-it,      false",
    "create, '',                  pods,                 install-it,      false",
    "create, '',                  pods/exec,            crowdlab-system, false",
    "update, coordination.k8s.io, leases,               install-it,      false",
    "create, rbac.authorization.k8s.io, clusterroles,   '',              false",
    "patch,  apiextensions.k8s.io, customresourcedefinitions, '',        false",
  })
  void itMayDoWhatItsWorkNeedsAndNothingElse(
      String verb, String group, String resource, String namespace, boolean allowed) {
    int slash = resource.indexOf('/');
    SubjectAccessReview review =
        new SubjectAccessReviewBuilder()
            .withNewSpec()
            .withUser(ACCOUNT)
            .withNewResourceAttributes()
            .withVerb(verb)
            .withGroup(group)
            .withResource(slash < 0 ? resource : resource.substring(0, slash))
            .withSubresource(slash < 0 ? null : resource.substring(slash + 1))
            .withNamespace(namespace)
            .endResourceAttributes()
            .endSpec()
            .build();

    assertThat(controlPlane.admin().resource(review).create().getStatus().getAllowed())
        .isEqualTo(allowed);
  }
}
