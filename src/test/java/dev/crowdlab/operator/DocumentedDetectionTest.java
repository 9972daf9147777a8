package dev.crowdlab.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.MarkdownTables;
import dev.crowdlab.hub.DetectorSettings;
import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the settings' table of docs/detection.md to what the operator takes. */
class DocumentedDetectionTest {

  private static final String SMALLEST = "hub: {advertise: ['10.77.0.1:8443']}\n";

  @ParameterizedTest
  @MethodSource("rows")
  void theDefaultIsWhatTheTableSays(Map<String, String> row) throws Exception {
    String[] path = row.get("Setting").split("\\.");

    Config given =
        ConfigFile.parse(
            "%sdetection: {%s: {%s: %s}}"
                .formatted(SMALLEST, path[0], path[1], row.get("Default")));

    assertThat(given.detection()).isEqualTo(DetectorSettings.defaults());
  }

  @Test
  void everySettingHasARow() {
    List<String> settings =
        Stream.of(DetectorSettings.class.getRecordComponents())
            .flatMap(
                section ->
                    Stream.of(section.getType().getRecordComponents())
                        .map(RecordComponent::getName)
                        .map(name -> section.getName() + "." + name))
            .toList();

    assertThat(rows()).extracting(row -> row.get("Setting")).containsExactlyElementsOf(settings);
  }

  static List<Map<String, String>> rows() {
    return MarkdownTables.below("detection.md", "Settings");
  }
}
