package dev.crowdlab.hub;

import dev.crowdlab.hub.DetectorSettings.Suspicion;
import java.time.Duration;

/**
 * The heartbeats of one agent, and how improbable a silence is after them: the phi accrual failure
 * detector of Hayashibara, Defago, Yared and Katayama (SRDS 2004). The times between the last
 * heartbeats are taken for normally distributed, with their mean and deviation;
 *
 * <p>phi(t) = -log10 P(the next one comes later than t)
 *
 * <p>and a silence is suspicious from the level of the settings on. As the level is fixed, that is
 * the same as a bound on the silence: mean + z deviations, where z belongs to the level. The bound
 * keeps between a floor and a ceiling. No I/O, no clock; guarded by its owner.
 */
final class Arrivals {

  private final Suspicion settings;
  private final double deviations;
  private final double[] intervals;
  private int seen;
  private Duration beat;
  private long lastAt;
  private boolean any;
  private Duration bound;

  private boolean answerDue;
  private long toldAt;
  private Duration answerWithin = Duration.ZERO;

  /**
   * @param beat the time between heartbeats that is expected first
   */
  Arrivals(Suspicion settings, Duration beat) {
    this.settings = settings;
    this.deviations = deviations(settings.phi());
    this.intervals = new double[settings.window()];
    this.beat = beat;
    this.bound = settings.floor(beat);
    forget(beat);
  }

  /** Nothing is known but the time between heartbeats that is expected. */
  void forget(Duration expected) {
    beat = expected;
    any = false;
    answerDue = false;
    // Before two heartbeats were seen: the expected time, give or take a quarter.
    intervals[0] = expected.toNanos() * 0.75;
    intervals[1] = expected.toNanos() * 1.25;
    seen = 2;
    bound = computed();
  }

  /** A heartbeat came from an agent that was told this time between them. */
  void beat(long nano, Duration told) {
    answerDue = false;
    if (!told.equals(beat)) {
      forget(told);
    } else if (any) {
      intervals[seen % intervals.length] = nano - lastAt;
      seen++;
      bound = computed();
    }
    any = true;
    lastAt = nano;
  }

  /** We were held up for so long until now: the next heartbeat is earlier than it will look. */
  void pausedFor(Duration pause, long nano) {
    lastAt = Math.min(nano, lastAt + pause.toNanos());
    toldAt = Math.min(nano, toldAt + pause.toNanos());
  }

  /** The time to the next heartbeat will tell nothing: all clocks start anew. */
  void skip(long nano) {
    any = false;
    toldAt = nano;
  }

  /** The agent is told this time between heartbeats now; it answers with one at once. */
  void told(long nano, Duration newBeat) {
    if (!newBeat.equals(beat)) {
      toldAt = nano;
      answerWithin = settings.ceiling(newBeat);
      answerDue = true;
    }
  }

  /**
   * A longer silence is suspicious.
   *
   * @param silentSince when the silence began
   */
  Duration bound(long silentSince) {
    if (!answerDue) {
      return bound;
    }
    Duration answer = Duration.ofNanos(toldAt - silentSince).plus(answerWithin);
    return answer.compareTo(bound) < 0 ? answer : bound;
  }

  /** How suspicious a silence is, whatever floor and ceiling say. */
  double phi(Duration silence) {
    double deviation = Math.max(deviation(mean()), 1);
    return -Math.log10(later((silence.toNanos() - mean()) / deviation));
  }

  private Duration computed() {
    double mean = mean();
    Duration computed = Duration.ofNanos(Math.round(mean + deviations * deviation(mean)));
    Duration floored = DetectorSettings.longer(computed, settings.floor(beat));
    Duration ceiling = settings.ceiling(beat);
    return floored.compareTo(ceiling) < 0 ? floored : ceiling;
  }

  private double mean() {
    int known = Math.min(seen, intervals.length);
    double sum = 0;
    for (int i = 0; i < known; i++) {
      sum += intervals[i];
    }
    return sum / known;
  }

  private double deviation(double mean) {
    int known = Math.min(seen, intervals.length);
    double squares = 0;
    for (int i = 0; i < known; i++) {
      squares += (intervals[i] - mean) * (intervals[i] - mean);
    }
    return Math.sqrt(squares / known);
  }

  /** How many deviations above the mean a silence has this level. */
  static double deviations(double phi) {
    double low = 0;
    double high = 16;
    for (int i = 0; i < 60; i++) {
      double middle = (low + high) / 2;
      if (-Math.log10(later(middle)) < phi) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /**
   * The probability that a standard normal variable is above z. Far from the mean by its asymptotic
   * series (Abramowitz and Stegun, 26.2.12), near it by their 26.2.17: its error of 7.5e-8 would
   * count for more than the value itself far out.
   */
  static double later(double z) {
    if (z < 0) {
      return 1 - later(-z);
    }
    double density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
    if (z > 4) {
      double s = 1 / (z * z);
      return density / z * (1 - s * (1 - 3 * s * (1 - 5 * s * (1 - 7 * s))));
    }
    double t = 1 / (1 + 0.2316419 * z);
    return density
        * t
        * (0.319381530
            + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  }
}
