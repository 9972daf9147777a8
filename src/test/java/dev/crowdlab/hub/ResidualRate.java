package dev.crowdlab.hub;

import java.time.Duration;

/**
 * How often a machine that is well is held for lost on a link that loses packets, at most: a pure
 * function, with what it takes for granted.
 *
 * <ol>
 *   <li>Every packet is lost with the same probability, each way, whatever happened to the others.
 *       Losses that come in bursts longer than a detection are a lost network, not a lossy one.
 *   <li>A probe fails when its SYN or the answer to it is lost. Both are sent once only: Linux
 *       repeats them after a second, and a probe does not wait as long.
 *   <li>A heartbeat that was not delivered is sent again by TCP 0.2 s later, then 0.4 s, 0.8 s and
 *       so on (Linux: the least retransmission timeout, doubled). Tail loss probes and fast
 *       retransmissions come on top and only help. Until it is acknowledged, nothing else is sent,
 *       so each of these fails when the segment or its acknowledgement is lost.
 *   <li>The heartbeats that TCP delivers during the probes would end the suspicion too; that is not
 *       counted either.
 * </ol>
 *
 * <p>So a silence of {@code bound} needs every transmission within it to fail, and a loss needs
 * every probe after it to fail as well.
 */
final class ResidualRate {

  private static final double LEAST_TIMEOUT = 0.2;

  private ResidualRate() {}

  /** The probability that a packet and the answer to it do not both arrive. */
  static double roundTripFails(double loss) {
    return 1 - (1 - loss) * (1 - loss);
  }

  /** How often a silence of the bound comes about, in a second, at most. */
  static double suspicions(double loss, Duration beat, Duration bound) {
    int transmissions = 0;
    double timeout = LEAST_TIMEOUT;
    for (double at = seconds(beat); at <= seconds(bound); at += timeout / 2) {
      transmissions++;
      timeout *= 2;
    }
    return Math.pow(roundTripFails(loss), transmissions) / seconds(beat);
  }

  /** How often a machine that is well is held for lost, in a second, at most. */
  static double falseLosses(double loss, Duration beat, Duration bound, int probes) {
    return suspicions(loss, beat, bound) * Math.pow(roundTripFails(loss), probes);
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
