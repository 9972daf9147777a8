package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.hub.Detector.Evidence;
import dev.crowdlab.hub.Detector.Link;
import dev.crowdlab.hub.Detector.Signals;
import dev.crowdlab.hub.Detector.Verdict;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TwoSignalsDetectorTest {

  private static final Duration BOUND = Duration.ofMillis(450);

  private final TwoSignalsDetector detector =
      new TwoSignalsDetector(DetectorSettings.defaults().patience());

  @ParameterizedTest(
      name = "{0}, {1}, contested {2}, silent {3} ms, suspected {4} ms, {5}, was silent {6}: {7}")
  @CsvSource({
    // never connected: the grace, then the probes
    "AWAITED,    NEVER,  false, 9999,  0,     UNKNOWN,  false, AWAITED",
    "AWAITED,    NEVER,  false, 10001, 0,     UNKNOWN,  false, SUSPECT",
    "SUSPECT,    NEVER,  false, 10001, 1,     ANSWERED, false, AGENT_DOWN",
    "SUSPECT,    NEVER,  false, 10001, 1,     REFUSED,  false, AGENT_DOWN",
    "SUSPECT,    NEVER,  false, 10001, 1000,  SILENT,   false, VM_LOST",
    "SUSPECT,    NEVER,  false, 10001, 1000,  MUTE,     false, SUSPECT",
    "SUSPECT,    NEVER,  false, 20001, 8001,  MUTE,     false, VM_HUNG",
    "AWAITED,    NEVER,  false, 9999,  0,     SILENT,   false, AWAITED",
    // an open socket: silence up to the bound is nothing
    "ALIVE,      OPEN,   false, 0,     0,     UNKNOWN,  false, ALIVE",
    "ALIVE,      OPEN,   false, 450,   0,     UNKNOWN,  false, ALIVE",
    "ALIVE,      OPEN,   false, 451,   0,     UNKNOWN,  false, SUSPECT",
    // heartbeats again: no probe counts against it
    "SUSPECT,    OPEN,   false, 10,    900,   SILENT,   false, ALIVE",
    // a power cut leaves the socket open
    "SUSPECT,    OPEN,   false, 1000,  550,   SILENT,   false, VM_LOST",
    // sshd was silent before: it proves nothing, so more silence must
    "SUSPECT,    OPEN,   false, 1000,  550,   SILENT,   true,  SUSPECT",
    "SUSPECT,    OPEN,   false, 15451, 15001, SILENT,   true,  VM_LOST",
    // silent and sshd answers: the agent hangs, and is left alone for a while
    "SUSPECT,    OPEN,   false, 2000,  1000,  ANSWERED, false, SUSPECT",
    "SUSPECT,    OPEN,   false, 15451, 15001, ANSWERED, false, AGENT_HUNG",
    "SUSPECT,    OPEN,   false, 15451, 15001, REFUSED,  false, AGENT_HUNG",
    // the hub ends the socket of a hung agent: it is hung all the same
    "AGENT_HUNG, CLOSED, false, 15500, 15050, ANSWERED, false, AGENT_HUNG",
    "AGENT_HUNG, CLOSED, false, 20000, 10,    ANSWERED, false, AGENT_HUNG",
    "AGENT_HUNG, CLOSED, false, 20000, 20000, SILENT,   false, VM_LOST",
    // the kernel answers, and nothing else: the machine hangs
    "SUSPECT,    OPEN,   false, 8000,  7550,  MUTE,     false, SUSPECT",
    "SUSPECT,    OPEN,   false, 8451,  8001,  MUTE,     false, VM_HUNG",
    "VM_HUNG,    CLOSED, false, 8500,  10,    MUTE,     false, VM_HUNG",
    // a closed socket: the agent may come back by itself, the machine answers
    "ALIVE,      CLOSED, false, 10,    0,     UNKNOWN,  false, SUSPECT",
    "SUSPECT,    CLOSED, false, 10,    20,    ANSWERED, false, SUSPECT",
    "SUSPECT,    CLOSED, false, 3100,  3001,  ANSWERED, false, AGENT_DOWN",
    "AGENT_DOWN, CLOSED, false, 3100,  1,     ANSWERED, false, AGENT_DOWN",
    "SUSPECT,    CLOSED, false, 1000,  550,   SILENT,   false, VM_LOST",
    "SUSPECT,    CLOSED, false, 1000,  550,   SILENT,   true,  SUSPECT",
    "SUSPECT,    CLOSED, false, 16000, 15001, SILENT,   true,  VM_LOST",
    // back after it was lost, but without its agent
    "VM_LOST,    CLOSED, false, 90000, 89000, ANSWERED, false, AGENT_DOWN",
    // two sessions answer: nothing else counts
    "ALIVE,      OPEN,   true,  99999, 9999,  SILENT,   false, CONFLICT",
  })
  void judges(
      Verdict before,
      Link link,
      boolean contested,
      long silent,
      long suspected,
      Evidence evidence,
      boolean wasSilent,
      Verdict verdict) {
    assertThat(
            detector.judge(
                new Signals(
                    before,
                    link,
                    contested,
                    Duration.ofMillis(silent),
                    BOUND,
                    Duration.ofMillis(suspected),
                    evidence,
                    wasSilent)))
        .isEqualTo(verdict);
  }

  @Test
  void whateverTheSignalsNoTeamHasToLeaveAMachineThatGivesASignOfLife() {
    Random random = new Random(4);
    for (int i = 0; i < 100_000; i++) {
      Signals signals = random(random);
      Verdict verdict = detector.judge(signals);
      boolean heard =
          signals.link() == Link.OPEN && signals.silence().compareTo(signals.bound()) <= 0;
      boolean answered =
          signals.evidence() == Evidence.ANSWERED || signals.evidence() == Evidence.REFUSED;

      if (heard || answered || signals.evidence() == Evidence.UNKNOWN || signals.contested()) {
        assertThat(verdict.loss()).as("%s", signals).isFalse();
      }
    }
  }

  @Test
  void moreSilenceNeverMakesAMachineLookBetter() {
    Random random = new Random(5);
    for (int i = 0; i < 100_000; i++) {
      Signals signals = random(random);
      Duration more = Duration.ofMillis(random.nextInt(30_000));
      Signals later =
          new Signals(
              signals.before(),
              signals.link(),
              signals.contested(),
              signals.silence().plus(more),
              signals.bound(),
              signals.suspected().plus(more),
              signals.evidence(),
              signals.sshdWasSilent());

      assertThat(gravity(detector.judge(later)))
          .as("%s, and %s later", signals, more)
          .isGreaterThanOrEqualTo(gravity(detector.judge(signals)));
    }
  }

  private static int gravity(Verdict verdict) {
    return switch (verdict) {
      case AWAITED, ALIVE -> 0;
      case SUSPECT -> 1;
      case AGENT_DOWN, AGENT_HUNG -> 2;
      case VM_LOST, VM_HUNG -> 3;
      case CONFLICT -> 4;
    };
  }

  private static Signals random(Random random) {
    return new Signals(
        Verdict.values()[random.nextInt(Verdict.values().length)],
        Link.values()[random.nextInt(Link.values().length)],
        random.nextInt(20) == 0,
        Duration.ofMillis(random.nextInt(30_000)),
        Duration.ofMillis(200 + random.nextInt(20_000)),
        Duration.ofMillis(random.nextInt(30_000)),
        Evidence.values()[random.nextInt(Evidence.values().length)],
        random.nextBoolean());
  }
}
