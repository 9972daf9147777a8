package dev.crowdlab.integrity;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KernelVersionTest {

  @ParameterizedTest
  @CsvSource({
    "5.10.0-21-amd64, 5.9, 1",
    "5.9.16, 5.10, -1",
    "6.1.0-18-amd64, 6.1, 0",
    "6.1.12-cloud, 6.1.2, 1",
    "6.8.0-45-generic, 6.8.0-31-generic, 0",
    "10.0, 9.99.99, 1",
    "6, 6.0.0, 0",
  })
  void comparesNumbersNotTexts(String left, String right, int order) {
    assertThat(Integer.signum(version(left).compareTo(version(right)))).isEqualTo(order);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "linux", "-6.1", "99999999999.1"})
  void isEmptyForWhatBeginsWithNoVersion(String release) {
    assertThat(KernelVersion.parse(release)).isEmpty();
  }

  @Test
  void readsOnlyTheFirstNumbers() {
    assertThat(version("6.1.0-18-amd64").numbers()).containsExactly(6, 1, 0);
  }

  private static KernelVersion version(String release) {
    return KernelVersion.parse(release).orElseThrow();
  }
}
