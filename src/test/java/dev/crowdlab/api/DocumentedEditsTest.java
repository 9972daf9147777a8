package dev.crowdlab.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds {@code docs/edits.md} to the fields that exist. */
class DocumentedEditsTest {
  private static final String PAGE = "edits.md";

  @ParameterizedTest
  @ValueSource(strings = {"ContributedVM", "LabTeam"})
  void everyFieldOfASpecHasExactlyOneRow(String kind) {
    List<String> documented =
        MarkdownTables.below(PAGE, kind).stream().map(row -> row.get("Field")).toList();
    List<String> fields = new ArrayList<>();
    JSONSchemaProps spec = schema(kind).getProperties().get("spec");
    collect("spec", spec, documented, fields);

    assertThat(documented).containsExactlyInAnyOrderElementsOf(fields);
  }

  @Test
  void everyEffectIsExplained() {
    Set<String> explained =
        MarkdownTables.below(PAGE, "Effects").stream()
            .map(row -> row.get("Effect"))
            .collect(Collectors.toSet());

    for (String heading : List.of("ContributedVM", "LabTeam", "Annotations and labels")) {
      assertThat(MarkdownTables.below(PAGE, heading))
          .extracting(row -> row.get("Effect"))
          .isSubsetOf(explained);
    }
  }

  @Test
  void everyAnnotationThatDoesSomethingHasItsRow() {
    assertThat(MarkdownTables.below(PAGE, "Annotations and labels"))
        .extracting(row -> row.get("Key"))
        .containsExactlyInAnyOrder(
            Names.APPROVE_HOST_KEY,
            Names.RELEASE,
            Names.REBIND,
            Names.PAUSED,
            Names.FORCE_DELETE,
            "metadata.labels");
  }

  /** Leaves, or whatever above them the page treats as one. */
  private static void collect(
      String path, JSONSchemaProps schema, List<String> documented, List<String> fields) {
    if (documented.contains(path) || schema.getProperties().isEmpty()) {
      fields.add(path);
      return;
    }
    for (Map.Entry<String, JSONSchemaProps> field : schema.getProperties().entrySet()) {
      collect(path + "." + field.getKey(), field.getValue(), documented, fields);
    }
  }

  private static JSONSchemaProps schema(String kind) {
    return Crds.definitions().stream()
        .filter(crd -> crd.getSpec().getNames().getKind().equals(kind))
        .map(CustomResourceDefinition::getSpec)
        .map(spec -> spec.getVersions().getFirst().getSchema().getOpenAPIV3Schema())
        .findFirst()
        .orElseThrow();
  }
}
