package dev.crowdlab.hub;

import java.time.Duration;

/**
 * How long a machine takes to answer a connect, smoothed as TCP smooths it (RFC 6298, 2). Guarded
 * by its owner.
 */
final class RoundTrip {

  private boolean known;
  private double smoothed;
  private double variation;

  void took(Duration time) {
    double nanos = time.toNanos();
    if (known) {
      variation += (Math.abs(smoothed - nanos) - variation) / 4;
      smoothed += (nanos - smoothed) / 8;
    } else {
      known = true;
      smoothed = nanos;
      variation = nanos / 2;
    }
  }

  boolean known() {
    return known;
  }

  Duration smoothed() {
    return Duration.ofNanos(Math.round(smoothed));
  }

  /** How long to wait for an answer: what RFC 6298 waits before it sends again. */
  Duration patience() {
    return Duration.ofNanos(Math.round(smoothed + 4 * variation));
  }
}
