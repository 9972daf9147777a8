package dev.crowdlab.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Holds {@code docs/edits.md} to the fields that exist. That each row is true,
 * DocumentedTeamEditsTest and DocumentedVmEditsTest show.
 */
class DocumentedEditsTest {
  private static final String PAGE = "edits.md";

  @ParameterizedTest
  @ValueSource(strings = {"ContributedVM", "LabTeam"})
  void everyFieldOfASpecHasExactlyOneRow(String kind) {
    List<String> documented =
        MarkdownTables.below(PAGE, kind).stream().map(row -> row.get("Field")).toList();
    List<String> fields = new ArrayList<>();
    JSONSchemaProps spec = DocumentedEdits.schema(kind).getProperties().get("spec");
    collect("spec", spec, documented, fields);

    assertThat(documented).containsExactlyInAnyOrderElementsOf(fields);
  }

  @Test
  void theEffectsThatAreExplainedAreThoseThatEditsHave() {
    Set<String> had =
        Stream.of("ContributedVM", "LabTeam")
            .flatMap(kind -> DocumentedEdits.of(kind).stream())
            .map(DocumentedEdits.Row::effect)
            .collect(Collectors.toSet());

    assertThat(had).isEqualTo(DocumentedEdits.effects());
  }

  @Test
  void everyAnnotationThatDoesSomethingHasItsRow() {
    assertThat(MarkdownTables.below(PAGE, "Annotations and labels"))
        .extracting(row -> row.get("Key"))
        .containsExactlyInAnyOrder(
            Names.APPROVE_HOST_KEY,
            Names.RELEASE,
            Names.REJOIN,
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
}
