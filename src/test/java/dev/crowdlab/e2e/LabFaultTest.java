package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The docs tell of each kind of fault what shall become of a team. */
class LabFaultTest {

  private static final Path DOCS = Path.of("docs/experiment.md");

  @Test
  void theDocumentedFaultsAreThoseOfTheCatalogue() throws IOException {
    List<String> rows =
        Files.readAllLines(DOCS).stream()
            .filter(line -> line.matches("\\| `[a-z-]+` \\|.*"))
            .map(line -> line.replaceAll("\\s+", " ").strip())
            .map(line -> columns(line, 1) + "; " + columns(line, 3) + "; " + columns(line, 4))
            .toList();

    assertThat(rows)
        .containsExactlyElementsOf(LabFault.all().stream().map(LabFaultTest::row).toList());
  }

  @Test
  void eachHasAWordOfItsOwnAndIsFoundByIt() {
    assertThat(LabFault.all()).extracting(LabFault::word).doesNotHaveDuplicates();
    assertThat(LabFault.all())
        .allSatisfy(fault -> assertThat(LabFault.of(fault.word())).isSameAs(fault));
  }

  private static String row(LabFault fault) {
    return "`%s`; %s; %s"
        .formatted(
            fault.word(),
            fault.expectation(),
            fault.onlyLong().map(why -> "long only: " + why).orElse(""));
  }

  private static String columns(String row, int number) {
    return row.split("\\|", -1)[number].strip();
  }
}
