package dev.crowdlab.hub;

import dev.crowdlab.hub.DetectorSettings.Heartbeats;
import java.time.Duration;

/**
 * How often agents shall beat, so that all of them together stay within the share of a core that
 * they may take. Immutable; {@link #fitted} is pure.
 *
 * <p>When there are too many, the idle ones are slowed down first, then those with teams. It goes
 * by steps of a quarter, and back only when two steps fit, so that agents that come and go at a
 * bound do not have all the others told something new each time.
 *
 * @param step how many steps slower than configured
 */
record Pace(Heartbeats settings, int step) {

  private static final double FACTOR = 1.25;

  /** An agent also pings the hub: as often as this, or at its heartbeats if they are rarer. */
  static final Duration PING = Duration.ofSeconds(4);

  /** The time between heartbeats. */
  Duration beat(boolean fast) {
    int idleSteps = stepsTo(settings.slow());
    return fast
        ? slowed(settings.fast(), Math.max(0, step - idleSteps))
        : slowed(settings.slow(), step);
  }

  /** How many heartbeats and pings a second these agents send. */
  double rate(int fastAgents, int slowAgents) {
    return fastAgents * rate(beat(true)) + slowAgents * rate(beat(false));
  }

  /** The share of a core that they take. */
  double coreShare(int fastAgents, int slowAgents) {
    return rate(fastAgents, slowAgents) * settings.costMicros() / 1e6;
  }

  /** The pace for so many agents: this one, if it still fits. */
  Pace fitted(int fastAgents, int slowAgents) {
    Pace enough = quickest(fastAgents, slowAgents, settings.most());
    if (enough.step > step) {
      return enough;
    }
    Pace ample = quickest(fastAgents, slowAgents, settings.most() / (FACTOR * FACTOR));
    return ample.step < step ? ample : this;
  }

  private Pace quickest(int fastAgents, int slowAgents, double most) {
    int last = stepsTo(settings.slow()) + stepsTo(settings.fast());
    Pace pace = new Pace(settings, 0);
    while (pace.step < last && pace.rate(fastAgents, slowAgents) > most) {
      pace = new Pace(settings, pace.step + 1);
    }
    return pace;
  }

  private static double rate(Duration beat) {
    return 1e9 / beat.toNanos() + 1e9 / DetectorSettings.longer(PING, beat).toNanos();
  }

  private int stepsTo(Duration from) {
    return (int)
        Math.ceil(
            Math.log((double) settings.slowest().toNanos() / from.toNanos()) / Math.log(FACTOR));
  }

  private Duration slowed(Duration from, int steps) {
    Duration slow = DetectorSettings.times(from, Math.pow(FACTOR, steps));
    return slow.compareTo(settings.slowest()) < 0
        ? Duration.ofMillis(slow.toMillis())
        : settings.slowest();
  }
}
