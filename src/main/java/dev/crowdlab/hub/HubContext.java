package dev.crowdlab.hub;

import dev.crowdlab.protocol.Frames;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What every {@link VmDesk} needs.
 *
 * @param logins asks what may block, elsewhere
 * @param own what we know of ourselves
 * @param nonces fresh random words for challenges
 */
record HubContext(
    DetectorSettings settings,
    Detector detector,
    HubClock clock,
    Timers timers,
    Prober prober,
    Logins logins,
    Own own,
    Pacer pacer,
    Dispatcher news,
    HubMetrics metrics,
    Frames frames,
    Supplier<String> nonces) {

  /**
   * What belongs together by these settings.
   *
   * @param witnesses see {@link HubSettings#witnesses}
   */
  static HubContext of(
      DetectorSettings settings,
      List<InetSocketAddress> witnesses,
      HubClock clock,
      Timers timers,
      Prober prober,
      Logins logins,
      Dispatcher news,
      HubMetrics metrics,
      Supplier<String> nonces) {
    Own own = Own.of(settings, witnesses, prober, clock);
    Pacer pacer = new Pacer(settings.heartbeats());
    metrics.show(own.guard(), pacer);
    return new HubContext(
        settings,
        new TwoSignalsDetector(settings.patience()),
        clock,
        timers,
        prober,
        logins,
        own,
        pacer,
        news,
        metrics,
        new Frames(),
        nonces);
  }

  /** Asks a question that may block on a thread of its own, and gives the answer there. */
  @FunctionalInterface
  interface Logins {
    void ask(BooleanSupplier question, Consumer<Boolean> answer);
  }

  /**
   * Whatever makes us doubt ourselves before we doubt a machine.
   *
   * @param pulse whether we stood still
   * @param hearing whether we hear anybody
   * @param witness somebody whom we should hear
   * @param guard whether too many vanished at once
   */
  record Own(Pulse pulse, Hearing hearing, Witness witness, StormGuard guard) {

    static Own of(
        DetectorSettings settings,
        List<InetSocketAddress> witnesses,
        Prober prober,
        HubClock clock) {
      Hearing hearing = new Hearing(clock.nano());
      return new Own(
          new Pulse(settings.self(), clock.nano()),
          hearing,
          new Witness(witnesses, prober, hearing, clock, settings.probes().banner()),
          new StormGuard(settings.storm()));
    }
  }
}
