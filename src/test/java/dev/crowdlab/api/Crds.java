package dev.crowdlab.api;

import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionCondition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * Generates the custom resource definitions from the classes, and installs what is checked in. It
 * lives among the tests because the product never generates anything; {@link CrdsTest} compares the
 * result with {@code crds/}, and writes it there when asked to.
 */
public final class Crds {
  /** Where the generated files are checked in. */
  static final Path DIRECTORY = Path.of("crds");

  private Crds() {}

  /** The definitions as they should stand in {@code crds/}, by file name. */
  static Map<String, String> generate() {
    Map<String, ByteArrayOutputStream> files = new TreeMap<>();
    new CRDGenerator()
        .withPostProcessor(new CrdFinish())
        .customResourceClasses(ContributedVM.class, LabTeam.class)
        .withOutput(new Memory(files))
        .detailedGenerate();
    Map<String, String> texts = new TreeMap<>();
    files.forEach(
        (name, bytes) ->
            texts.put(
                name.replaceFirst("-v1$", "") + ".yaml",
                bytes
                    .toString(StandardCharsets.UTF_8)
                    .replaceFirst("^#.*\n", "# Generated from src/main/java/dev/crowdlab/api.\n")));
    return texts;
  }

  /** The definitions as objects, read from what is generated. */
  static List<CustomResourceDefinition> definitions() {
    return generate().values().stream()
        .map(yaml -> Serialization.unmarshal(yaml, CustomResourceDefinition.class))
        .toList();
  }

  /**
   * Applies what is checked in and waits until the API server serves it; may be called again.
   *
   * @throws org.awaitility.core.ConditionTimeoutException when that takes more than 30 s
   */
  public static void install(KubernetesClient client) {
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      files.forEach(file -> install(client, file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void install(KubernetesClient client, Path file) {
    Resource<CustomResourceDefinition> crd =
        client.apiextensions().v1().customResourceDefinitions().load(file.toFile());
    crd.forceConflicts().serverSideApply();
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(50))
        .until(() -> isEstablished(crd.get()));
  }

  /** A new one has no conditions yet. */
  private static boolean isEstablished(CustomResourceDefinition crd) {
    return crd.getStatus() != null
        && crd.getStatus().getConditions() != null
        && crd.getStatus().getConditions().stream().anyMatch(Crds::established);
  }

  private static boolean established(CustomResourceDefinitionCondition condition) {
    return condition.getType().equals("Established") && condition.getStatus().equals("True");
  }

  private record Memory(Map<String, ByteArrayOutputStream> files)
      implements CRDGenerator.CRDOutput<ByteArrayOutputStream> {
    @Override
    public ByteArrayOutputStream outputFor(String name) {
      return files.computeIfAbsent(name, _ -> new ByteArrayOutputStream());
    }

    @Override
    public void close() {}
  }
}
