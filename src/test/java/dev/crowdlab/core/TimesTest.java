package dev.crowdlab.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimesTest {

  @ParameterizedTest
  @CsvSource({"14d,1209600", "36h,129600", "1h30m,5400", "5s,5", "1d2h3m4s,93784", "0s,0"})
  void readsDurations(String text, long seconds) {
    assertThat(Times.parseDuration(text)).isEqualTo(Duration.ofSeconds(seconds));
  }

  @Test
  void readsMilliseconds() {
    assertThat(Times.parseDuration("250ms")).isEqualTo(Duration.ofMillis(250));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "5", "5 s", "-5s", "1m1h", "PT5S", "5w"})
  void refusesWhatIsNoDurationAndShowsTheForm(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Times.parseDuration(text))
        .withMessageContaining("'" + text + "'")
        .withMessageContaining("e.g. 14d");
  }

  @Test
  void writesDurationsInSecondsWithMilliseconds() {
    assertThat(Times.formatDuration(Duration.ofMillis(61_234))).isEqualTo("61.234s");
    assertThat(Times.parseSeconds("61.234s")).isEqualTo(Duration.ofMillis(61_234));
    assertThat(Times.formatDuration(Duration.ofMillis(-5))).isEqualTo("0.000s");
  }

  @Test
  void timestampsKeepTheirWidthSoThatTheySortAsText() {
    assertThat(Times.format(Instant.parse("2026-01-02T03:04:05Z")))
        .isEqualTo("2026-01-02T03:04:05.000Z");
    assertThat(Times.format(Instant.parse("2026-01-02T03:04:05.678912Z")))
        .isEqualTo("2026-01-02T03:04:05.678Z");
  }

  @Test
  void readsWhatItWrote() {
    Instant instant = Instant.parse("2026-01-02T03:04:05.678Z");
    assertThat(Times.parse(Times.format(instant))).isEqualTo(instant);
  }
}
