package dev.crowdlab.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The tables of {@code docs/edits.md}. A reconciler's test makes each row's edit and holds what
 * happens against the row's effect.
 */
public final class DocumentedEdits {
  private static final String PAGE = "edits.md";
  private static final ObjectMapper MAPPER = Serialization.jsonMapper();

  private DocumentedEdits() {}

  /**
   * One row.
   *
   * @param place a field of the spec, an annotation, or {@code metadata.labels}
   * @param exactly what the row says beyond its effect; may be empty
   */
  public record Row(String kind, String place, String effect, String exactly) {

    /** As the name of a test. */
    @Override
    public String toString() {
      return place + ": " + effect;
    }
  }

  /** Every row that is about a kind: fields of its spec first. */
  public static List<Row> of(String kind) {
    List<Row> rows = new ArrayList<>();
    for (Map<String, String> row : MarkdownTables.below(PAGE, kind)) {
      rows.add(row(kind, row.get("Field"), row));
    }
    for (Map<String, String> row : MarkdownTables.below(PAGE, "Annotations and labels")) {
      switch (row.get("On")) {
        case "ContributedVM", "LabTeam" -> {
          if (row.get("On").equals(kind)) {
            rows.add(row(kind, row.get("Key"), row));
          }
        }
        case "both" -> rows.add(row(kind, row.get("Key"), row));
        default -> throw new IllegalArgumentException("on neither kind: " + row);
      }
    }
    return rows;
  }

  /** Every effect that the page explains. */
  public static Set<String> effects() {
    return MarkdownTables.below(PAGE, "Effects").stream()
        .map(row -> row.get("Effect"))
        .collect(Collectors.toSet());
  }

  /** The names of the fields below a field of a spec; of a list, those of its items. */
  public static Set<String> parts(String kind, String field) {
    JSONSchemaProps schema = schema(kind);
    for (String name : field.split("\\.")) {
      schema = schema.getProperties().get(name);
    }
    return schema.getItems() == null
        ? schema.getProperties().keySet()
        : schema.getItems().getSchema().getProperties().keySet();
  }

  /**
   * A spec with one place changed, as somebody would edit its YAML.
   *
   * @param place as {@code spec.access.host}, or {@code spec.exercise.containers.0.image}
   * @param value YAML, or null to take the place away
   */
  public static <T> T edited(T spec, String place, String value) {
    String pointer = place.substring("spec".length()).replace('.', '/');
    ObjectNode document = MAPPER.valueToTree(spec);
    try {
      @SuppressWarnings("unchecked") // the class of a T
      Class<T> type = (Class<T>) spec.getClass();
      return MAPPER.treeToValue(Documents.with(document, pointer, value), type);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(place + ": " + value, e);
    }
  }

  static JSONSchemaProps schema(String kind) {
    return Crds.definitions().stream()
        .filter(crd -> crd.getSpec().getNames().getKind().equals(kind))
        .map(CustomResourceDefinition::getSpec)
        .map(spec -> spec.getVersions().getFirst().getSchema().getOpenAPIV3Schema())
        .findFirst()
        .orElseThrow();
  }

  private static Row row(String kind, String place, Map<String, String> row) {
    return new Row(kind, place, row.get("Effect"), row.get("What exactly"));
  }
}
