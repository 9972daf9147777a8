package dev.crowdlab.hub;

import java.time.Duration;

/** Suspects after a fixed silence, and leaves the verdict to the probes. */
record FixedBoundsDetector(DetectorSettings settings) implements Detector {

  @Override
  public Verdict judge(Signals signals) {
    if (signals.contested()) {
      return Verdict.CONFLICT;
    }
    return switch (signals.link()) {
      case NEVER ->
          within(signals.silence(), settings.grace())
              ? Verdict.AWAITED
              : probed(signals, Verdict.AGENT_DOWN);
      case OPEN ->
          within(signals.silence(), settings.silence(signals.fast()))
              ? Verdict.ALIVE
              : probed(
                  signals,
                  within(signals.silence(), settings.hang())
                      ? Verdict.SUSPECT
                      : Verdict.AGENT_DOWN);
      case CLOSED ->
          probed(
              signals,
              within(signals.suspected(), settings.agentReturn())
                  ? Verdict.SUSPECT
                  : Verdict.AGENT_DOWN);
    };
  }

  private static Verdict probed(Signals signals, Verdict whenAnswered) {
    return switch (signals.probed()) {
      case UNKNOWN -> Verdict.SUSPECT;
      case ANSWERED -> whenAnswered;
      case SILENT -> Verdict.LOST;
    };
  }

  private static boolean within(Duration time, Duration bound) {
    return time.compareTo(bound) <= 0;
  }
}
