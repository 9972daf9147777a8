package dev.crowdlab.api;

import static dev.crowdlab.api.Documents.TEAM;
import static dev.crowdlab.api.Documents.VM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What the API server itself refuses: the message names the field, and says what would be right.
 * Each row spoils one place of a good document: place, value, field named, words of the remedy.
 */
@RequiresTestBed(labHosts = false)
class BadInputIT {
  private final KubernetesClient client;

  BadInputIT(ControlPlane controlPlane) {
    client = controlPlane.admin();
  }

  @BeforeAll
  static void install(ControlPlane controlPlane) {
    Documents.prepare(controlPlane.admin());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "/spec, spec, Required value",
    "/spec/contributor, spec.contributor, Required value",
    "/spec/contributor/name, spec.contributor.name, Required value",
    "/spec/ssh, spec.ssh, Required value",
    "/spec/ssh/host, spec.ssh.host, Required value",
    "/spec/ssh/user, spec.ssh.user, Required value",
    "/spec/ssh/credentialsSecretRef, spec.ssh.credentialsSecretRef, Required value",
    "/spec/ssh/credentialsSecretRef/name, spec.ssh.credentialsSecretRef.name, Required value",
    "/spec/capacity, spec.capacity, Required value",
    "/spec/capacity/teams, spec.capacity.teams, Required value",
  })
  void aVmWithoutRequiredFieldIsRefused(String place, String field, String words) {
    assertRefused(VM, place, null, field, words);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "/spec, spec, Required value",
    "/spec/exercise, spec.exercise, Required value",
    "/spec/exercise/containers, spec.exercise.containers, Required value",
    "/spec/exercise/containers/0/name, spec.exercise.containers[0].name, Required value",
    "/spec/exercise/containers/0/image, spec.exercise.containers[0].image, Required value",
    "/spec/exercise/containers/0/ports/0/containerPort,"
        + " spec.exercise.containers[0].ports[0].containerPort, Required value",
    "/spec/access, spec.access, Required value",
    "/spec/access/host, spec.access.host, Required value",
    "/spec/access/port, spec.access.port, Required value",
  })
  void aTeamWithoutRequiredFieldIsRefused(String place, String field, String words) {
    assertRefused(TEAM, place, null, field, words);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "0, greater than or equal to 1",
    "-22, greater than or equal to 1",
    "65536, less than or equal to 65535"
  })
  void aPortOutsideItsRangeIsRefused(String port, String words) {
    assertRefused(VM, "/spec/ssh/port", port, "spec.ssh.port", words);
    assertRefused(
        TEAM,
        "/spec/exercise/containers/0/ports/0/containerPort",
        port,
        "spec.exercise.containers[0].ports[0].containerPort",
        words);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "'\"\"', at least 1",
    "'\"alice 1\"', must be a host name",
    "10.77.1.300, must be a host name",
    "10.77.1, must be a host name",
    "'\"10.77.1.2:22\"', must be a host name",
    "root@10.77.1.2, must be a host name",
    "-alice.example.org, must be a host name",
    "alice_1.example.org, must be a host name",
    "alice..example.org, must be a host name",
    "'\"[fd00::1]\"', must be a host name",
    "'\"fd00:::1\"', must be a host name",
    "'\"fe80::1%eth0\"', must be a host name",
    "https://alice.example.org, must be a host name",
    "'\"alice;reboot\"', must be a host name",
    "'\"alice\\n\"', must be a host name",
  })
  void aHostThatIsNeitherNameNorAddressIsRefused(String host, String words) {
    assertRefused(VM, "/spec/ssh/host", host, "spec.ssh.host", words);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "10.77.1.2, not an IP address",
    "'\"fd00::1\"', must be a lower-case host name",
    "'\"*.lab.example.org\"', must be a lower-case host name",
    "Team-7.lab.example.org, must be a lower-case host name",
    "https://team-7.lab.example.org, must be a lower-case host name",
    "'\"team-7.lab.example.org:8080\"', must be a lower-case host name",
  })
  void aHostThatNoIngressCanRouteIsRefused(String host, String words) {
    assertRefused(TEAM, "/spec/access/host", host, "spec.access.host", words);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "'\"\"', at least 1",
    "'\"SHA256:...\"',",
    "'\"SHA256:tooshort\"',",
    "'\"MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48\"',",
    "AAAAC3NzaC1lZDI1NTE5AAAAIGZ2rJFfq1Pp9Y7Fq3yPRlZFhwf0DBO3pyJ0dTHJrMpo,",
    "ssh-ed25519,",
    "ssh-ed25519 AAAA,",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZ2rJFfq1Pp9Y7Fq3yPRlZFhwf0DBO3pyJ0dTHJrM,",
    "ssh-ed25519 AAAAB3NzaC1lZDI1NTE5AAAAIGZ2rJFfq1Pp9Y7Fq3yPRlZFhwf0DBO3pyJ0dTHJrMpo,",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ,",
    "ssh-dss AAAAB3NzaC1kc3MAAACBAP,",
    "-----BEGIN OPENSSH PRIVATE KEY-----,",
  })
  void anUnparsableHostKeyIsRefused(String hostKey, String words) {
    assertRefused(
        VM,
        "/spec/ssh/hostKey",
        hostKey,
        "spec.ssh.hostKey",
        words == null ? "must be one OpenSSH public key line" : words);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({"'\"-1\"'", "-1", "-500m", "'\"-1Gi\"'", "two", "'\"\"'", "1 Gi", "4GiB", "[1]"})
  void aQuantityBelowZeroOrNoneAtAllIsRefused(String quantity) {
    assertRefused(VM, "/spec/capacity/cpu", quantity, "spec.capacity.cpu", "");
    assertRefused(VM, "/spec/capacity/memory", quantity, "spec.capacity.memory", "");
    assertRefused(TEAM, "/spec/workspace/size", quantity, "spec.workspace.size", "");
    for (String kind : new String[] {"limits", "requests"}) {
      assertRefused(
          TEAM,
          "/spec/exercise/containers/0/resources/" + kind + "/memory",
          quantity,
          "spec.exercise.containers[0].resources." + kind,
          "");
    }
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "/spec/capacity/cpu, -500m, must be a quantity of at least 0",
    "/spec/capacity/memory, -4Gi, must be a quantity of at least 0",
    "/spec/capacity/teams, -1, greater than or equal to 0",
  })
  void aNegativeCapacityIsRefusedWithTheBound(String place, String value, String words) {
    assertRefused(VM, place, value, place.substring(1).replace('/', '.'), words);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "/spec/workspace/size, -1Gi, spec.workspace.size, must be a quantity above 0",
    "/spec/workspace/size, 0, spec.workspace.size, must be a quantity above 0",
    "/spec/exercise/containers/0/resources/limits/cpu, -1,"
        + " spec.exercise.containers[0].resources.limits, must be a quantity of at least 0",
    "/spec/exercise/containers/0/resources/requests/cpu, -1,"
        + " spec.exercise.containers[0].resources.requests, must be a quantity of at least 0",
    "/spec/exercise/containers/0/resources/limits/disk, 1Gi,"
        + " spec.exercise.containers[0].resources.limits, only cpu and memory",
    "/spec/exercise/containers/0/resources, '{limits: {cpu: 1}, requests: {cpu: 1500m}}',"
        + " spec.exercise.containers[0].resources.requests, above its limit",
  })
  void aTeamsQuantityThatMakesNoSenseIsRefused(
      String place, String value, String field, String words) {
    assertRefused(TEAM, place, value, field, words);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource("'{name: web, image: other}'")
  void twoContainersOfOneNameAreRefused(String second) {
    assertRefused(
        TEAM,
        "/spec/exercise/containers/1",
        second,
        "spec.exercise.containers",
        "give each container a name of its own");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "/spec/exercise/containers/0/ports/-, '{name: http, containerPort: 81}'",
    "/spec/exercise/containers/1/ports, '[{name: http, containerPort: 81}]'",
  })
  void twoPortsOfOneNameAreRefused(String place, String value) {
    assertRefused(
        TEAM,
        place,
        value,
        "spec.exercise.containers",
        "give each port of the team a name of its own");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "/spec/exercise/containers/0/ports/-, '{name: other, containerPort: 8080}', Duplicate value",
    "/spec/exercise/containers/0/env, '[{name: A, value: b}, {name: A, value: c}]', Duplicate"
        + " value",
  })
  void whatIsListedTwiceIsRefused(String place, String value, String words) {
    assertRefused(TEAM, place, value, "spec.exercise.containers[0]", words);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "/spec/access/port, https",
    "/spec/exercise/containers/0/ports, '[{containerPort: 8080}]'",
    "/spec/exercise/containers/0/ports, '[{name: http, containerPort: 8080, protocol: UDP}]'",
    "/spec/exercise/containers/0/ports, '[]'",
  })
  void anAccessPortThatNoContainerHasIsRefused(String place, String value) {
    assertRefused(
        TEAM,
        place,
        value,
        "spec.access.port",
        "use the name of one of exercise.containers[].ports");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "work, must be an absolute path",
    "./work, must be an absolute path",
    "'\"\"', at least 1",
    "/work/../etc, must not contain ..",
    "/.., must not contain ..",
    "../work, must not contain ..",
    "/, must not be /",
    "//, must not be /",
    "/proc, must not be /",
    "//proc/self, must not be /",
    "/dev/shm, must not be /",
    "'\"/work:ro\"', must not be /",
    "'\"/work,z\"', must not be /",
    "'\"/wo\\nrk\"', must not be /",
  })
  void aMountPathThatIsRelativeOrLeadsElsewhereIsRefused(String path, String words) {
    assertRefused(
        TEAM,
        "/spec/exercise/containers/0/workspaceMountPath",
        path,
        "spec.exercise.containers[0].workspaceMountPath",
        words);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource("at least 1 items")
  void anEmptyContainerListIsRefused(String words) {
    assertRefused(TEAM, "/spec/exercise/containers", "[]", "spec.exercise.containers", words);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "/spec/integrity/policy, Lax, 'supported values: \"Standard\", \"Strict\"'",
    "/spec/integrity/onViolation, Ignore, 'supported values: \"Quarantine\", \"Report\"'",
    "/spec/integrity/forbiddenFindings, '[Evil]', supported values",
    "/spec/availability, '[{days: [Monday], from: \"08:00\", to: \"18:00\"}]', supported values",
  })
  void anUnknownEnumValueOfAVmIsRefusedWithThoseThatExist(
      String place, String value, String words) {
    assertRefused(VM, place, value, place.substring(1).replace('/', '.'), words);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "/spec/exercise/egress, All, 'supported values: \"Internet\", \"None\"'",
    "/spec/recovery/policy, Never, 'supported values: \"Automatic\", \"Manual\"'",
    "/spec/placement/spread, Zone, 'supported values: \"Contributor\", \"None\"'",
    "/spec/workspace/writes, Sync, 'supported values: \"Asynchronous\", \"Synchronous\"'",
  })
  void anUnknownEnumValueOfATeamIsRefusedWithThoseThatExist(
      String place, String value, String words) {
    assertRefused(TEAM, place, value, place.substring(1).replace('/', '.'), words);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "/spec/hostname, spec.hostname",
    "/spec/ssh/identityFile, spec.ssh.identityFile",
    "/spec/capacity/disk, spec.capacity.disk",
    "/spec/contributor/phone, spec.contributor.phone",
    "/status/mood, status.mood",
  })
  void anUnknownFieldOfAVmIsRefusedByName(String place, String field) {
    assertRefused(VM, place, "x", "unknown field", "\"" + field + "\"");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "/spec/owner, spec.owner",
    "/spec/exercise/volumes, spec.exercise.volumes",
    "/spec/exercise/containers/0/privileged, spec.exercise.containers[0].privileged",
    "/spec/exercise/containers/0/ports/0/hostPort, spec.exercise.containers[0].ports[0].hostPort",
    "/spec/placement/vmSelector/names, spec.placement.vmSelector.names",
    "/spec/access/hosts, spec.access.hosts",
  })
  void anUnknownFieldOfATeamIsRefusedByName(String place, String field) {
    assertRefused(TEAM, place, "x", "unknown field", "\"" + field + "\"");
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "/spec/ssh/user, -root, spec.ssh.user, must be a login name",
    "/spec/ssh/user, '\"root;id\"', spec.ssh.user, must be a login name",
    "/spec/ssh/credentialsSecretRef/name, lab/other, spec.ssh.credentialsSecretRef.name,"
        + " must be the name of a Secret",
    "/spec/integrity/protectedPaths, '[etc/ssh]', spec.integrity.protectedPaths, must be absolute",
    "/spec/integrity/protectedPaths, '[/etc/../root]', spec.integrity.protectedPaths,"
        + " must be absolute",
    "/spec/integrity/allowedDistributions, '[Debian GNU/Linux]',"
        + " spec.integrity.allowedDistributions, /etc/os-release",
    "/spec/integrity/minimumKernel, newest, spec.integrity.minimumKernel, e.g. 5.10",
    "/spec/availability, '[{from: \"8:00\", to: \"18:00\"}]', spec.availability[0].from, HH:MM",
    "/spec/availability, '[{from: \"08:00\", to: \"24:00\"}]', spec.availability[0].to, HH:MM",
    "/spec/availability, '[{from: \"08:00\"}]', spec.availability[0].to, Required value",
    "/spec/availability, '[{from: \"08:00\", to: \"18:00\", timeZone: \"+2\"}]',"
        + " spec.availability[0].timeZone, IANA",
  })
  void whatElseCannotBeRightInAVmIsRefused(String place, String value, String field, String words) {
    assertRefused(VM, place, value, field, words);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "/spec/exercise/containers/0/name, Web, spec.exercise.containers[0].name, lower-case",
    "/spec/exercise/containers/0/image, --privileged, spec.exercise.containers[0].image,"
        + " must be an image reference",
    "/spec/exercise/containers/0/image, '\"a b\"', spec.exercise.containers[0].image,"
        + " must be an image reference",
    "/spec/exercise/containers/0/ports/0/name, HTTP, spec.exercise.containers[0].ports[0].name,"
        + " lower-case",
    "/spec/exercise/containers/0/ports/0/name, '\"80\"', spec.exercise.containers[0].ports[0].name,"
        + " at least one letter",
    "/spec/exercise/containers/0/env, '[{name: A=B}]', spec.exercise.containers[0].env[0].name,"
        + " other than =",
    "/spec/exercise/containers/0/env, '[{name: CROWDLAB_EPOCH, value: \"7\"}]',"
        + " spec.exercise.containers[0].env[0].name, use another name",
    "/spec/access/path, exercise, spec.access.path, must be an absolute path",
    "/spec/access/path, /a/../b, spec.access.path, must be a plain URL path",
    "/spec/access/path, /a?b=c, spec.access.path, must be a plain URL path",
    "/spec/access/annotations, '{\"a b\": c}', spec.access.annotations, annotation key",
    "/spec/access/tlsSecretName, A, spec.access.tlsSecretName, lower-case",
    "/spec/access/ingressClassName, A, spec.access.ingressClassName, lower-case",
    "/spec/expiresAfter, soon, spec.expiresAfter, e.g. 14d",
    "/spec/expiresAfter, 0h, spec.expiresAfter, above 0",
    "/spec/expiresAfter, '\"\"', spec.expiresAfter, above 0",
    "/spec/placement/vmSelector, '{matchExpressions: [{key: a, operator: In}]}',"
        + " spec.placement.vmSelector.matchExpressions[0], give values",
    "/spec/placement/vmSelector, '{matchExpressions: [{key: a, operator: Exists, values: [b]}]}',"
        + " spec.placement.vmSelector.matchExpressions[0], give values",
    "/spec/placement/vmSelector, '{matchExpressions: [{key: a, operator: Like}]}',"
        + " spec.placement.vmSelector.matchExpressions[0].operator, supported values",
  })
  void whatElseCannotBeRightInATeamIsRefused(
      String place, String value, String field, String words) {
    assertRefused(TEAM, place, value, field, words);
  }

  private void assertRefused(
      String document, String place, String value, String field, String words) {
    ObjectNode spoilt = Documents.with(Documents.parse(document), place, value);

    KubernetesClientException refusal =
        catchThrowableOfType(KubernetesClientException.class, () -> create(spoilt));

    assertThat(refusal).as("refusal of %s", spoilt).isNotNull();
    assertThat(refusal.getMessage()).contains(field).contains(words);
  }

  private void create(ObjectNode document) {
    client
        .resource(
            client
                .getKubernetesSerialization()
                .convertValue(document, GenericKubernetesResource.class))
        .dryRun()
        .fieldValidation(Validation.STRICT)
        .create();
  }
}
