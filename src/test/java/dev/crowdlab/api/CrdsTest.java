package dev.crowdlab.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CrdsTest {
  /** Set by {@code mvn test -Dtest=CrdsTest -Dcrds.write=true}. */
  private static final boolean WRITE = Boolean.getBoolean("crds.write");

  @Test
  void checkedInDefinitionsAreWhatTheClassesGenerate() throws IOException {
    Map<String, String> generated = Crds.generate();
    if (WRITE) {
      write(generated);
    }

    assertThat(checkedIn())
        .as("crds/ differs; write it with: mvn test -Dtest=CrdsTest -Dcrds.write=true")
        .isEqualTo(generated);
  }

  @Test
  void everyFieldIsDescribed() {
    List<String> silent = new ArrayList<>();
    forEachField(
        (path, schema) -> {
          String text = schema.getDescription();
          if (text == null || text.length() < 10 || !text.endsWith(".")) {
            silent.add(path);
          }
        });

    assertThat(silent).isEmpty();
  }

  @Test
  void noPartOfTheSchemaTakesUnknownFields() {
    List<String> open = new ArrayList<>();
    forEachField(
        (path, schema) -> {
          boolean typed =
              schema.getType() != null || Boolean.TRUE.equals(schema.getXKubernetesIntOrString());
          boolean bareObject =
              "object".equals(schema.getType())
                  && schema.getProperties().isEmpty()
                  && schema.getAdditionalProperties() == null;
          boolean root = path.endsWith(".metadata");
          if (!typed
              || (bareObject && !root)
              || Boolean.TRUE.equals(schema.getXKubernetesPreserveUnknownFields())
              || Boolean.TRUE.equals(schema.getXKubernetesEmbeddedResource())) {
            open.add(path);
          }
        });

    assertThat(open).isEmpty();
  }

  @Test
  void everyListOfTheSpecIsBoundedSoThatItsRulesAreCheap() {
    List<String> unbounded = new ArrayList<>();
    forEachField(
        (path, schema) -> {
          if ("array".equals(schema.getType())
              && path.contains(".spec.")
              && !path.contains("vmSelector")
              && schema.getMaxItems() == null) {
            unbounded.add(path);
          }
        });

    assertThat(unbounded).isEmpty();
  }

  private static void forEachField(BiConsumer<String, JSONSchemaProps> visitor) {
    for (CustomResourceDefinition crd : Crds.definitions()) {
      JSONSchemaProps root =
          crd.getSpec().getVersions().getFirst().getSchema().getOpenAPIV3Schema();
      walk(crd.getSpec().getNames().getKind(), root, visitor);
    }
  }

  private static void walk(
      String path, JSONSchemaProps schema, BiConsumer<String, JSONSchemaProps> visitor) {
    schema
        .getProperties()
        .forEach(
            (name, property) -> {
              visitor.accept(path + "." + name, property);
              walk(path + "." + name, property, visitor);
            });
    if (schema.getItems() != null) {
      walk(path + "[]", schema.getItems().getSchema(), visitor);
    }
    if (schema.getAdditionalProperties() != null) {
      walk(path + "{}", schema.getAdditionalProperties().getSchema(), visitor);
    }
  }

  private static Map<String, String> checkedIn() throws IOException {
    Map<String, String> texts = new TreeMap<>();
    try (Stream<Path> files = Files.list(Crds.DIRECTORY)) {
      for (Path file : files.toList()) {
        texts.put(file.getFileName().toString(), Files.readString(file));
      }
    }
    return texts;
  }

  private static void write(Map<String, String> generated) throws IOException {
    Files.createDirectories(Crds.DIRECTORY);
    for (Map.Entry<String, String> file : generated.entrySet()) {
      Files.writeString(Crds.DIRECTORY.resolve(file.getKey()), file.getValue());
    }
  }
}
