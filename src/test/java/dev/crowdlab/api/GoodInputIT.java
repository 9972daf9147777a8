package dev.crowdlab.api;

import static dev.crowdlab.api.Documents.TEAM;
import static dev.crowdlab.api.Documents.VM;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the API server takes, and what it makes of what was left out. */
@RequiresTestBed(labHosts = false)
class GoodInputIT {
  private static final String DNS_PART = "a".repeat(61) + ".";

  private final KubernetesClient client;

  GoodInputIT(ControlPlane controlPlane) {
    client = controlPlane.admin();
  }

  @BeforeAll
  static void install(ControlPlane controlPlane) {
    Documents.prepare(controlPlane.admin());
  }

  @Test
  void theVmOfTheDocumentationIsTakenAndReadBack() {
    ContributedVM vm = as(ContributedVM.class, create(Documents.parse(VM)));

    assertThat(vm.getSpec().ssh().host()).isEqualTo("10.77.1.2");
    assertThat(vm.getSpec().ssh().hostKey()).isEqualTo(Documents.FINGERPRINT);
    assertThat(vm.getSpec().ssh().credentialsSecretRef().name()).isEqualTo("alice-1-ssh");
    assertThat(vm.getSpec().capacity().memory()).hasToString("4Gi");
    assertThat(vm.getStatus().observedGeneration()).isEqualTo(-1);
  }

  @Test
  void theTeamOfTheDocumentationIsTakenAndReadBack() {
    LabTeam team = as(LabTeam.class, create(Documents.parse(TEAM)));

    assertThat(team.getSpec().members()).containsExactly("bob");
    assertThat(team.getSpec().exercise().containers())
        .extracting(ContainerSpec::name)
        .containsExactly("web", "victim");
    assertThat(team.getSpec().exercise().containers().get(1).command())
        .containsExactly("/bin/httpd", "-f", "-p", "9090");
    assertThat(team.getSpec().access().port()).isEqualTo("http");
    assertThat(team.getStatus().observedGeneration()).isEqualTo(-1);
  }

  @Test
  void aVmNeedsNothingThatIsOptionalAndGetsItsDefaults() {
    JsonNode vm =
        create(
            Documents.parse(
                """
                apiVersion: crowdlab.dev/v1alpha1
                kind: ContributedVM
                metadata: {name: least, namespace: api-it}
                spec:
                  contributor: {name: Alice}
                  ssh: {host: alice.example.org, user: lab, credentialsSecretRef: {name: ssh}}
                  capacity: {teams: 1}
                """));

    assertThat(vm.get("spec"))
        .isEqualTo(
            Documents.parse(
                """
                contributor: {name: Alice}
                ssh: {host: alice.example.org, port: 22, user: lab, credentialsSecretRef: {name: ssh}}
                capacity: {teams: 1}
                schedulable: true
                drain: false
                integrity: {policy: Standard, onViolation: Quarantine}
                """));
    SshSpec ssh = as(ContributedVM.class, vm).getSpec().ssh();
    assertThat(ssh.usesSudo()).isTrue();
  }

  @Test
  void aTeamNeedsNothingThatIsOptionalAndGetsItsDefaults() {
    JsonNode team =
        create(
            Documents.parse(
                """
                apiVersion: crowdlab.dev/v1alpha1
                kind: LabTeam
                metadata: {name: least, namespace: api-it}
                spec:
                  exercise: {containers: [{name: web, image: web, ports: [{name: http, containerPort: 80}]}]}
                  access: {host: least.lab.example.org, port: http}
                """));

    assertThat(team.get("spec"))
        .isEqualTo(
            Documents.parse(
                """
                exercise:
                  containers:
                  - {name: web, image: web, ports: [{name: http, containerPort: 80, protocol: TCP}]}
                  egress: None
                access: {host: least.lab.example.org, path: /, port: http}
                workspace: {size: 1Gi, writes: Asynchronous}
                placement: {spread: Contributor}
                recovery: {policy: Automatic}
                suspended: false
                """));
  }

  @Test
  void whatTheRecordsFillInIsWhatTheApiServerDefaults() {
    LabTeam fromServer =
        as(LabTeam.class, create(Documents.with(Documents.parse(TEAM), "/metadata/name", "same")));
    LabTeam fromFile =
        as(LabTeam.class, Documents.with(Documents.parse(TEAM), "/metadata/name", "same"));
    ContributedVM vmFromServer = as(ContributedVM.class, create(Documents.parse(VM)));
    ContributedVM vmFromFile = as(ContributedVM.class, Documents.parse(VM));

    assertThat(fromFile.getSpec()).isEqualTo(fromServer.getSpec());
    assertThat(vmFromFile.getSpec()).isEqualTo(vmFromServer.getSpec());
  }

  @ParameterizedTest
  @MethodSource("longestNames")
  void everyNameThatKubernetesAllowsIsTaken(String name) {
    create(Documents.with(Documents.parse(VM), "/metadata/name", '"' + name + '"'));
    create(Documents.with(Documents.parse(TEAM), "/metadata/name", '"' + name + '"'));
    create(
        Documents.with(
            Documents.parse(VM), "/spec/ssh/credentialsSecretRef/name", '"' + name + '"'));
  }

  static Stream<String> longestNames() {
    return Stream.of("a", "1", "0-0", "a.b-c.0", DNS_PART.repeat(4) + "b".repeat(5));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.77.1.2",
        "fd00::1",
        "2001:db8::1",
        "alice",
        "Alice.Example.ORG",
        "alice.example.org.",
        "xn--bcher-kva.example",
        "1and1.example",
        "3com",
      })
  void aHostIsANameOrAnAddress(String host) {
    create(Documents.with(Documents.parse(VM), "/spec/ssh/host", '"' + host + '"'));
  }

  @ParameterizedTest
  @MethodSource("hostKeys")
  void aHostKeyIsAKeyLineOfAnyTypeOrAFingerprint(String key) {
    create(Documents.with(Documents.parse(VM), "/spec/ssh/hostKey", '"' + key + '"'));
  }

  static Stream<String> hostKeys() throws IOException {
    return Stream.concat(
        Files.readAllLines(Path.of("src/test/resources/dev/crowdlab/api/host-keys.pub")).stream(),
        Stream.of(Documents.FINGERPRINT, Documents.FINGERPRINT + "="));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "/spec/capacity/cpu, 2",
    "/spec/capacity/cpu, '\"2\"'",
    "/spec/capacity/cpu, 1500m",
    "/spec/capacity/cpu, '\"0.5\"'",
    "/spec/capacity/cpu, 0",
    "/spec/capacity/memory, 4294967296",
    "/spec/capacity/memory, '\"4e9\"'",
    "/spec/capacity/memory, 512M",
    "/spec/capacity/teams, 0",
    "/spec/ssh/port, 1",
    "/spec/ssh/port, 65535",
    "/spec/availability, '[{from: \"22:00\", to: \"06:00\", days: [Mon, Sun],"
        + " timeZone: America/Argentina/Buenos_Aires}]'",
    "/spec/integrity, '{policy: Strict, protectedPaths: [/etc/ssh], minimumKernel: 6.1.12,"
        + " allowedDistributions: [debian, \"ubuntu:24.04\"], forbiddenFindings: [KernelTainted],"
        + " onViolation: Report}'",
  })
  void aVmTakesEveryValueThatMakesSense(String place, String value) {
    create(Documents.with(Documents.parse(VM), place, value));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "/spec/workspace/size, 1073741824",
    "/spec/workspace/writes, Synchronous",
    "/spec/expiresAfter, 14d",
    "/spec/expiresAfter, 1d12h30m5s",
    "/spec/exercise/egress, Internet",
    "/spec/exercise/containers/0/image,"
        + " 'registry.example.org:5000/lab/web@sha256:"
        + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'",
    "/spec/exercise/containers/0/env, '[{name: A}, {name: b.c-D, value: \"a b\\n$(c)\"}]'",
    "/spec/exercise/containers/0/workspaceMountPath, /home/student/..work/a b",
    "/spec/exercise/containers/0/workspaceMountPath, /process",
    "/spec/exercise/containers/0/resources,"
        + " '{limits: {cpu: 500m, memory: 256Mi}, requests: {cpu: \"0.5\", memory: 64Mi}}'",
    "/spec/exercise/containers/1/ports, '[{containerPort: 8080}, {containerPort: 53, protocol:"
        + " UDP}]'",
    "/spec/placement, '{vmSelector: {matchLabels: {crowdlab.dev/location: potsdam},"
        + " matchExpressions: [{key: gpu, operator: DoesNotExist}]}, spread: None}'",
    "/spec/access/path, '/a/b%20c/'",
    "/spec/access/annotations, '{cert-manager.io/cluster-issuer: letsencrypt, plain: \"\"}'",
    "/spec/access/tlsSecretName, team-7-tls",
    "/spec/recovery/policy, Manual",
  })
  void aTeamTakesEveryValueThatMakesSense(String place, String value) {
    create(Documents.with(Documents.parse(TEAM), place, value));
  }

  @Test
  void theLargestTeamIsTaken() {
    ObjectNode team = Documents.parse(TEAM);
    StringBuilder containers = new StringBuilder("[");
    for (int c = 0; c < 16; c++) {
      containers.append("{name: c").append(c).append(", image: i, ports: [");
      for (int p = 0; p < 16; p++) {
        containers.append("{name: p-%d-%d, containerPort: %d},".formatted(c, p, 8000 + p));
      }
      containers.append("]},");
    }

    ObjectNode largest =
        Documents.with(team, "/spec/exercise/containers", containers.append("]").toString());
    create(Documents.with(largest, "/spec/access/port", "p-15-15"));
  }

  @Test
  void theSamplesAreTaken() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("manifests", "samples"))) {
      List<Path> samples = files.filter(file -> file.toString().endsWith(".yaml")).toList();
      assertThat(samples).hasSizeGreaterThanOrEqualTo(4);
      for (Path sample : samples) {
        for (HasMetadata object : client.load(Files.newInputStream(sample)).items()) {
          if (!object.getKind().equals("Namespace")) {
            object.getMetadata().setNamespace(Documents.NAMESPACE);
            create(client.getKubernetesSerialization().convertValue(object, ObjectNode.class));
          }
        }
      }
    }
  }

  private JsonNode create(ObjectNode document) {
    GenericKubernetesResource created =
        client
            .resource(
                client
                    .getKubernetesSerialization()
                    .convertValue(document, GenericKubernetesResource.class))
            .dryRun()
            .fieldValidation(Validation.STRICT)
            .create();
    return client.getKubernetesSerialization().convertValue(created, JsonNode.class);
  }

  private <T> T as(Class<T> type, JsonNode document) {
    return client.getKubernetesSerialization().convertValue(document, type);
  }
}
