package dev.crowdlab.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.SelectableField;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * Puts into a generated definition what the generator has no annotation for: the columns in their
 * order, the keys of lists, selectable fields, and descriptions of what is not ours (conditions,
 * selectors, the two kinds themselves).
 */
final class CrdFinish implements CRDPostProcessor {
  private static final long UNSEEN_GENERATION = -1;
  private static final String READY_REASON = ".status.conditions[?(@.type==\"Ready\")].reason";

  private record Kind(
      String description,
      List<CustomResourceColumnDefinition> columns,
      List<String> selectableFields) {}

  private static final Map<String, Kind> KINDS =
      Map.of(
          "ContributedVM",
          new Kind(
              "ContributedVM is a virtual machine that a contributor lends. CrowdLab verifies it,"
                  + " configures it over SSH, keeps watch over it and places lab teams on it.",
              List.of(
                  column(0, "Phase", "string", ".status.phase"),
                  column(0, "Teams", "string", ".status.occupancy"),
                  column(
                      0,
                      "Agent",
                      "string",
                      ".status.conditions[?(@.type==\"AgentConnected\")].status"),
                  column(
                      0,
                      "Verified",
                      "string",
                      ".status.conditions[?(@.type==\"Verified\")].status"),
                  column(0, "Age", "date", ".metadata.creationTimestamp"),
                  column(1, "Host", "string", ".spec.ssh.host"),
                  column(1, "OS", "string", ".status.facts.osName"),
                  column(1, "Last seen", "date", ".status.agent.lastSeen"),
                  column(1, "Reason", "string", READY_REASON)),
              List.of(".spec.contributor.name", ".status.phase")),
          "LabTeam",
          new Kind(
              "LabTeam is one isolated exercise environment for one student or group. CrowdLab"
                  + " places it on a contributed VM, keeps its files on a file server, and moves it"
                  + " to another VM when its own fails.",
              List.of(
                  column(0, "Phase", "string", ".status.phase"),
                  column(0, "VM", "string", ".status.binding.vm"),
                  column(0, "URL", "string", ".status.url"),
                  column(0, "Recoveries", "integer", ".status.recoveryCount"),
                  column(0, "Age", "date", ".metadata.creationTimestamp"),
                  column(1, "Epoch", "integer", ".status.binding.epoch"),
                  column(1, "Created in", "string", ".status.creation.duration"),
                  column(1, "Recovered in", "string", ".status.recoveries[0].duration"),
                  column(1, "Reason", "string", READY_REASON)),
              List.of(".spec.access.host", ".status.binding.vm", ".status.phase")));

  /** Lists that are maps, by the property's name: the API server refuses two items of one key. */
  private static final Map<String, List<String>> LIST_KEYS =
      Map.of(
          "conditions", List.of("type"),
          "containers", List.of("name"),
          "env", List.of("name"),
          "ports", List.of("containerPort", "protocol"),
          "timings", List.of("step"));

  @Override
  public HasMetadata process(HasMetadata definition, String version) {
    CustomResourceDefinition crd = (CustomResourceDefinition) definition;
    Kind kind = KINDS.get(crd.getSpec().getNames().getKind());
    for (CustomResourceDefinitionVersion each : crd.getSpec().getVersions()) {
      each.setAdditionalPrinterColumns(kind.columns());
      each.setSelectableFields(
          kind.selectableFields().stream().map(path -> new SelectableField(path)).toList());
      JSONSchemaProps root = each.getSchema().getOpenAPIV3Schema();
      root.setDescription(kind.description());
      root.setRequired(List.of("spec"));
      root.getProperties().get("spec").setDescription("What is asked for.");
      JSONSchemaProps status = root.getProperties().get("status");
      status.setDescription("What the operator knows and did.");
      // Without it, tools that read a fresh object before the operator does take it for finished.
      status.setDefault(
          JsonNodeFactory.instance.objectNode().put("observedGeneration", UNSEEN_GENERATION));
      finish(root);
    }
    return crd;
  }

  private static void finish(JSONSchemaProps schema) {
    // An annotation on a record's component stands on its field and on its accessor, and is found
    // on both.
    schema.setXKubernetesValidations(
        new ArrayList<>(new LinkedHashSet<>(schema.getXKubernetesValidations())));
    if (Boolean.TRUE.equals(schema.getXKubernetesIntOrString())) {
      // Bounds the cost of the rules that parse it; no number that makes sense is longer.
      schema.setMaxLength(32L);
    }
    schema.getProperties().replaceAll(CrdFinish::property);
    if (schema.getItems() != null && schema.getItems().getSchema() != null) {
      finish(schema.getItems().getSchema());
    }
    if (schema.getAdditionalProperties() != null
        && schema.getAdditionalProperties().getSchema() != null) {
      finish(schema.getAdditionalProperties().getSchema());
    }
  }

  private static JSONSchemaProps property(String name, JSONSchemaProps schema) {
    JSONSchemaProps result = schema;
    switch (name) {
      case "conditions", "vmSelector" -> {
        result = template(name);
        result.setDescription(schema.getDescription());
      }
      default -> finish(result);
    }
    if ("array".equals(result.getType()) && LIST_KEYS.containsKey(name)) {
      result.setXKubernetesListType("map");
      result.setXKubernetesListMapKeys(LIST_KEYS.get(name));
    }
    return result;
  }

  /** Kubernetes' own types, with the descriptions and bounds that Kubernetes gives them. */
  private static JSONSchemaProps template(String name) {
    try (InputStream in = CrdFinish.class.getResourceAsStream(name + "-schema.yaml")) {
      return Serialization.unmarshal(in, JSONSchemaProps.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static CustomResourceColumnDefinition column(
      int priority, String name, String type, String path) {
    CustomResourceColumnDefinition column = new CustomResourceColumnDefinition();
    column.setName(name);
    column.setType(type);
    column.setJsonPath(path);
    column.setPriority(priority == 0 ? null : priority);
    return column;
  }
}
