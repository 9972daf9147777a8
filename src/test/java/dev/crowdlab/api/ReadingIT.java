package dev.crowdlab.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What people and programs read: columns, names for kubectl, the status subresource. */
@RequiresTestBed(labHosts = false)
class ReadingIT {
  private static final String NAMESPACE = "reading-it";

  private final KubernetesClient client;

  ReadingIT(ControlPlane controlPlane) {
    client = controlPlane.admin();
  }

  @BeforeAll
  static void install(ControlPlane controlPlane) {
    Documents.prepare(controlPlane.admin(), NAMESPACE);
  }

  @BeforeEach
  void createBoth() {
    client.resource(Documents.in(NAMESPACE, Documents.VM)).create();
    client.resource(Documents.in(NAMESPACE, Documents.TEAM)).create();
  }

  @AfterEach
  void deleteBoth() {
    client.resource(Documents.in(NAMESPACE, Documents.VM)).delete();
    client.resource(Documents.in(NAMESPACE, Documents.TEAM)).delete();
  }

  @Test
  void aVmsColumnsAreThoseOfTheDesign() throws Exception {
    vm().editStatus(
            vm -> {
              vm.setStatus(
                  vm.getStatus().toBuilder()
                      .phase(VmPhase.READY)
                      .occupancy("2/4")
                      .facts(
                          new VmFacts(
                              "debian",
                              "12",
                              "Debian GNU/Linux 12 (bookworm)",
                              null,
                              null,
                              null,
                              null,
                              null,
                              null,
                              null,
                              null,
                              null))
                      .agent(new AgentStatus("1", null, "2026-01-01T00:00:00.000Z", null))
                      .conditions(
                          List.of(
                              condition("Ready", "True", Reason.CORDONED),
                              condition("AgentConnected", "True", Reason.AGENT_CONNECTED),
                              condition("Verified", "False", Reason.POLICY_VIOLATED)))
                      .build());
              return vm;
            });

    Map<String, String> row = row("contributedvms");

    assertThat(columns("contributedvms", 0))
        .containsExactly("Name", "Phase", "Teams", "Agent", "Verified", "Age");
    assertThat(columns("contributedvms", 1)).containsExactly("Host", "OS", "Last seen", "Reason");
    assertThat(row)
        .containsEntry("Phase", "Ready")
        .containsEntry("Teams", "2/4")
        .containsEntry("Agent", "True")
        .containsEntry("Verified", "False")
        .containsEntry("Host", "10.77.1.2")
        .containsEntry("OS", "Debian GNU/Linux 12 (bookworm)")
        .containsEntry("Reason", "Cordoned");
    assertThat(row.get("Last seen")).matches("[0-9]+[a-z].*");
  }

  @Test
  void aTeamsColumnsAreThoseOfTheDesign() throws Exception {
    team()
        .editStatus(
            team -> {
              team.setStatus(
                  team.getStatus().toBuilder()
                      .phase(TeamPhase.RECOVERING)
                      .url("http://team-7.lab.example.org/")
                      .binding(new Binding("alice-1", "uid", 3, null, null, null, 1, null))
                      .recoveryCount(2)
                      .creation(new Creation(null, "0.912s", List.of()))
                      .recoveries(List.of(recovery("1.234s"), recovery("9.999s")))
                      .conditions(List.of(condition("Ready", "False", Reason.RECOVERING)))
                      .build());
              return team;
            });

    assertThat(columns("labteams", 0))
        .containsExactly("Name", "Phase", "VM", "URL", "Recoveries", "Age");
    assertThat(columns("labteams", 1))
        .containsExactly("Epoch", "Created in", "Recovered in", "Reason");
    assertThat(row("labteams"))
        .containsEntry("Phase", "Recovering")
        .containsEntry("VM", "alice-1")
        .containsEntry("URL", "http://team-7.lab.example.org/")
        .containsEntry("Recoveries", "2")
        .containsEntry("Epoch", "3")
        .containsEntry("Created in", "0.912s")
        .containsEntry("Recovered in", "1.234s")
        .containsEntry("Reason", "Recovering");
  }

  @Test
  void theStatusIsWrittenOnItsOwnAndReadBackAsItWas() {
    LabTeamStatus wanted =
        LabTeamStatus.EMPTY.toBuilder()
            .observedGeneration(1L)
            .phase(TeamPhase.READY)
            .conditions(List.of(condition("Ready", "True", Reason.READY)))
            .binding(
                new Binding(
                    "alice-1", "uid", 1, "2026-01-01T00:00:00.123Z", "10.77.1.2", 20001, 1, "sha"))
            .highestEpoch(1L)
            .workspace(new WorkspaceStatus("abc", "files"))
            .creation(
                new Creation(
                    "2026-01-01T00:00:00.000Z",
                    "0.123s",
                    List.of(new StepTime(TeamStep.CHOSEN, "2026-01-01T00:00:00.100Z"))))
            .build();

    team()
        .editStatus(
            team -> {
              team.setStatus(wanted);
              return team;
            });

    LabTeam read = team().get();
    assertThat(read.getStatus()).isEqualTo(wanted);
    assertThat(read.getMetadata().getGeneration()).isEqualTo(1L);
  }

  @Test
  void anEditOfTheSpecLeavesTheStatusAlone() {
    team()
        .edit(
            team -> {
              team.setStatus(team.getStatus().toBuilder().url("http://forged/").build());
              team.getMetadata().setAnnotations(Map.of(Names.PAUSED, Names.TRUE));
              return team;
            });

    assertThat(team().get().getStatus().url()).isNull();
  }

  @Test
  void aStatusOfAnUnknownPhaseIsRefused() {
    String patch = "{\"status\":{\"phase\":\"Happy\"}}";

    KubernetesClientException refusal =
        org.assertj.core.api.Assertions.catchThrowableOfType(
            KubernetesClientException.class,
            () -> team().subresource("status").patch(PatchContext.of(PatchType.JSON_MERGE), patch));

    assertThat(refusal).hasMessageContaining("status.phase").hasMessageContaining("Recovering");
  }

  @Test
  void kubectlKnowsShortNamesAndTheCategory() throws Exception {
    JsonNode resources = get("/apis/crowdlab.dev/v1alpha1", "application/json").get("resources");

    Map<String, String> shortNames = new TreeMap<>();
    for (JsonNode resource : resources) {
      if (!resource.get("name").asText().contains("/")) {
        shortNames.put(resource.get("kind").asText(), resource.get("shortNames").get(0).asText());
        assertThat(resource.get("categories"))
            .extracting(JsonNode::asText)
            .containsExactly("crowdlab");
        assertThat(resource.get("namespaced").asBoolean()).isTrue();
      }
    }
    assertThat(shortNames)
        .containsExactlyInAnyOrderEntriesOf(Map.of("ContributedVM", "cvm", "LabTeam", "lt"));
  }

  @Test
  void teamsAreFoundByTheirMachine() {
    team()
        .editStatus(
            team -> {
              team.setStatus(
                  team.getStatus().toBuilder()
                      .binding(new Binding("alice-1", null, 1, null, null, null, 1, null))
                      .build());
              return team;
            });

    assertThat(bound("alice-1")).isEqualTo(1);
    assertThat(bound("bob-1")).isZero();
  }

  private int bound(String vm) {
    KubernetesResourceList<LabTeam> found =
        client
            .resources(LabTeam.class)
            .inNamespace(NAMESPACE)
            .withField("status.binding.vm", vm)
            .list();
    return found.getItems().size();
  }

  private io.fabric8.kubernetes.client.dsl.Resource<ContributedVM> vm() {
    return client.resources(ContributedVM.class).inNamespace(NAMESPACE).withName("alice-1");
  }

  private io.fabric8.kubernetes.client.dsl.Resource<LabTeam> team() {
    return client.resources(LabTeam.class).inNamespace(NAMESPACE).withName("team-7");
  }

  private static Recovery recovery(String duration) {
    return new Recovery(
        RecoveryCause.VM_LOST, "bob-1", "alice-1", 3L, null, null, List.of(), duration);
  }

  private static Condition condition(String type, String status, Reason reason) {
    return new ConditionBuilder()
        .withType(type)
        .withStatus(status)
        .withReason(reason.value())
        .withMessage("")
        .withLastTransitionTime("2026-01-01T00:00:00Z")
        .build();
  }

  private List<String> columns(String plural, int priority) throws Exception {
    List<String> names = new ArrayList<>();
    for (JsonNode column : table(plural).get("columnDefinitions")) {
      if (column.get("priority").asInt() == priority) {
        names.add(column.get("name").asText());
      }
    }
    return names;
  }

  private Map<String, String> row(String plural) throws Exception {
    JsonNode table = table(plural);
    Map<String, String> row = new TreeMap<>();
    for (int i = 0; i < table.get("columnDefinitions").size(); i++) {
      row.put(
          table.get("columnDefinitions").get(i).get("name").asText(),
          table.get("rows").get(0).get("cells").get(i).asText());
    }
    return row;
  }

  private JsonNode table(String plural) throws Exception {
    return get(
        "/apis/crowdlab.dev/v1alpha1/namespaces/" + NAMESPACE + "/" + plural,
        "application/json;as=Table;g=meta.k8s.io;v=v1");
  }

  private JsonNode get(String path, String accept) throws Exception {
    HttpRequest request =
        client
            .getHttpClient()
            .newHttpRequestBuilder()
            .uri(URI.create(client.getMasterUrl().toString().replaceFirst("/$", "") + path))
            .header("Accept", accept)
            .build();
    HttpResponse<String> response =
        client.getHttpClient().sendAsync(request, String.class).get(10, TimeUnit.SECONDS);
    return client.getKubernetesSerialization().unmarshal(response.bodyString(), JsonNode.class);
  }
}
