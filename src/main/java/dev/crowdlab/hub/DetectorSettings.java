package dev.crowdlab.hub;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.List;

/**
 * The failure detector's bounds.
 *
 * <p>With the defaults a machine with teams that falls silent is lost after at most {@code
 * silenceFast} + the last probe's start + {@code probeTimeout} + {@code tick} = 1.0 + 0.3 + 0.7 +
 * 0.05 s; one whose socket closes, a second sooner.
 *
 * @param fastBeat time between heartbeats of a machine that carries teams
 * @param slowBeat time between heartbeats of the others
 * @param silenceFast a machine with teams that was silent for this long is suspected
 * @param silenceSlow another machine that was silent for this long is suspected
 * @param probeStarts when the probes of one round start, counted from its begin; the first answer
 *     ends the round
 * @param probeTimeout how long each waits for an answer
 * @param reprobe time between two rounds while the suspicion lasts
 * @param agentReturn how long an agent whose socket is gone has to come back before it counts as
 *     down; its machine answers, so nobody is in a hurry
 * @param hang a machine that answers probes on an open socket without a heartbeat is left alone for
 *     this long; then its agent counts as down
 * @param grace after the hub opened, or a VM is watched for the first time, how long its agent has
 *     to connect before it is suspected
 * @param challenge how long the holder of a session has to answer when a second one appears
 * @param tick time between two looks at all machines
 * @param stall a look that comes this much too late means that we stood still, not the machines
 */
public record DetectorSettings(
    Duration fastBeat,
    Duration slowBeat,
    Duration silenceFast,
    Duration silenceSlow,
    List<Duration> probeStarts,
    Duration probeTimeout,
    Duration reprobe,
    Duration agentReturn,
    Duration hang,
    Duration grace,
    Duration challenge,
    Duration tick,
    Duration stall) {

  public DetectorSettings {
    positive(fastBeat, "fastBeat");
    positive(slowBeat, "slowBeat");
    atLeast(silenceFast, fastBeat.multipliedBy(2), "silenceFast");
    atLeast(silenceSlow, slowBeat.multipliedBy(2), "silenceSlow");
    probeStarts = List.copyOf(probeStarts);
    if (probeStarts.isEmpty() || probeStarts.size() > ProbeBudget.CAPACITY) {
      throw new IllegalArgumentException(
          "probeStarts must be 1 to " + ProbeBudget.CAPACITY + " times");
    }
    positive(probeTimeout, "probeTimeout");
    positive(reprobe, "reprobe");
    requireNonNull(agentReturn, "agentReturn");
    positive(hang, "hang");
    requireNonNull(grace, "grace");
    positive(challenge, "challenge");
    positive(tick, "tick");
    atLeast(stall, tick.multipliedBy(2), "stall");
  }

  public static DetectorSettings defaults() {
    return new DetectorSettings(
        Duration.ofMillis(250),
        Duration.ofSeconds(5),
        Duration.ofSeconds(1),
        Duration.ofMillis(12_500),
        List.of(Duration.ZERO, Duration.ofMillis(150), Duration.ofMillis(300)),
        Duration.ofMillis(700),
        Duration.ofSeconds(5),
        Duration.ofSeconds(3),
        Duration.ofSeconds(15),
        Duration.ofSeconds(10),
        Duration.ofSeconds(1),
        Duration.ofMillis(50),
        Duration.ofMillis(500));
  }

  /** The same with another grace. */
  public DetectorSettings withGrace(Duration value) {
    return new DetectorSettings(
        fastBeat,
        slowBeat,
        silenceFast,
        silenceSlow,
        probeStarts,
        probeTimeout,
        reprobe,
        agentReturn,
        hang,
        value,
        challenge,
        tick,
        stall);
  }

  Duration beat(boolean fast) {
    return fast ? fastBeat : slowBeat;
  }

  Duration silence(boolean fast) {
    return fast ? silenceFast : silenceSlow;
  }

  private static void positive(Duration value, String what) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(what + " must be above zero");
    }
  }

  private static void atLeast(Duration value, Duration least, String what) {
    if (value.compareTo(least) < 0) {
      throw new IllegalArgumentException(what + " must be at least " + least);
    }
  }
}
