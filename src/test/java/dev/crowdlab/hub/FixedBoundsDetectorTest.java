package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.hub.Detector.Link;
import dev.crowdlab.hub.Detector.Probed;
import dev.crowdlab.hub.Detector.Signals;
import dev.crowdlab.hub.Detector.Verdict;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FixedBoundsDetectorTest {

  private final FixedBoundsDetector detector = new FixedBoundsDetector(DetectorSettings.defaults());

  @ParameterizedTest(
      name = "{0}, contested {1}, silent {2} ms, fast {3}, suspected {4} ms, probes {5}: {6}")
  @CsvSource({
    // never connected: the grace, then the probes
    "NEVER,  false, 9999,  false, 0,    UNKNOWN,  AWAITED",
    "NEVER,  false, 10001, false, 0,    UNKNOWN,  SUSPECT",
    "NEVER,  false, 10001, false, 1,    ANSWERED, AGENT_DOWN",
    "NEVER,  false, 10001, false, 1000, SILENT,   LOST",
    "NEVER,  false, 9999,  false, 0,    SILENT,   AWAITED",
    // an open socket: silence up to the bound of its cadence is nothing
    "OPEN,   false, 0,     true,  0,    UNKNOWN,  ALIVE",
    "OPEN,   false, 1000,  true,  0,    UNKNOWN,  ALIVE",
    "OPEN,   false, 1001,  true,  0,    UNKNOWN,  SUSPECT",
    "OPEN,   false, 1001,  false, 0,    UNKNOWN,  ALIVE",
    "OPEN,   false, 12500, false, 0,    UNKNOWN,  ALIVE",
    "OPEN,   false, 12501, false, 0,    UNKNOWN,  SUSPECT",
    // heartbeats again: no probe counts against it
    "OPEN,   false, 10,    true,  900,  SILENT,   ALIVE",
    // silent and no probe answers: a power cut leaves the socket open
    "OPEN,   false, 2000,  true,  1000, SILENT,   LOST",
    // silent and the machine answers: a hang, left alone for a while
    "OPEN,   false, 2000,  true,  1000, ANSWERED, SUSPECT",
    "OPEN,   false, 15001, true,  9000, ANSWERED, AGENT_DOWN",
    // a closed socket: the agent may come back by itself, the machine answers
    "CLOSED, false, 10,    true,  0,    UNKNOWN,  SUSPECT",
    "CLOSED, false, 10,    true,  20,   ANSWERED, SUSPECT",
    "CLOSED, false, 3100,  true,  3001, ANSWERED, AGENT_DOWN",
    "CLOSED, false, 1000,  true,  1000, SILENT,   LOST",
    // two sessions answer: nothing else counts
    "OPEN,   true,  99999, true,  9999, SILENT,   CONFLICT",
  })
  void judges(
      Link link,
      boolean contested,
      long silent,
      boolean fast,
      long suspected,
      Probed probed,
      Verdict verdict) {
    assertThat(
            detector.judge(
                new Signals(
                    link,
                    contested,
                    Duration.ofMillis(silent),
                    fast,
                    Duration.ofMillis(suspected),
                    probed)))
        .isEqualTo(verdict);
  }
}
