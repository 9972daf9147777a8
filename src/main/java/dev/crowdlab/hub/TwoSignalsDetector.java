package dev.crowdlab.hub;

import dev.crowdlab.hub.DetectorSettings.Patience;
import java.time.Duration;

/**
 * Suspects by the agent's silence, and leaves the verdict to what sshd says. A verdict that fell
 * stands until the agent is heard, or sshd says something else.
 */
record TwoSignalsDetector(Patience patience) implements Detector {

  @Override
  public Verdict judge(Signals signals) {
    if (signals.contested()) {
      return Verdict.CONFLICT;
    }
    return switch (signals.link()) {
      case NEVER ->
          within(signals.silence(), patience.grace())
              ? Verdict.AWAITED
              : doubted(signals, Duration.ZERO, Verdict.AGENT_DOWN);
      case OPEN ->
          within(signals.silence(), signals.bound())
              ? Verdict.ALIVE
              : doubted(signals, patience.agentHang(), Verdict.AGENT_HUNG);
      case CLOSED ->
          doubted(
              signals,
              patience.agentReturn(),
              signals.before() == Verdict.AGENT_HUNG ? Verdict.AGENT_HUNG : Verdict.AGENT_DOWN);
    };
  }

  /**
   * @param agentBound for how long the agent alone may be doubted
   * @param agentFault what is wrong with it after that
   */
  private Verdict doubted(Signals signals, Duration agentBound, Verdict agentFault) {
    return switch (signals.evidence()) {
      case UNKNOWN -> Verdict.SUSPECT;
      case ANSWERED, REFUSED -> after(signals, agentBound, agentFault);
      case MUTE -> after(signals, patience.vmHang(), Verdict.VM_HUNG);
      case SILENT ->
          after(
              signals,
              signals.sshdWasSilent() ? patience.agentHang() : Duration.ZERO,
              Verdict.VM_LOST);
    };
  }

  private static Verdict after(Signals signals, Duration bound, Verdict verdict) {
    return signals.before() == verdict || !within(signals.suspected(), bound) || bound.isZero()
        ? verdict
        : Verdict.SUSPECT;
  }

  private static boolean within(Duration time, Duration bound) {
    return time.compareTo(bound) <= 0;
  }
}
