package dev.crowdlab.hub;

import dev.crowdlab.hub.DetectorSettings.Self;
import java.time.Duration;

/**
 * Our own heartbeat: tells by the monotonic clock when we stood still (garbage collection, a
 * suspended process, a starved or suspended machine). Thread-safe.
 */
final class Pulse {

  private final Self settings;
  private volatile long at;

  Pulse(Self settings, long nano) {
    this.settings = settings;
    this.at = nano;
  }

  /** A look at all machines begins: for how long we stood still before it; zero if we did not. */
  Duration beat(long nano) {
    Duration late = late(nano);
    at = nano;
    return late.compareTo(settings.pause()) > 0 ? late : Duration.ZERO;
  }

  /** The look is over; the next one comes a tick from now. */
  void rest(long nano) {
    at = nano;
  }

  /** Whether a pause is so long that all clocks start anew. */
  boolean isStall(Duration pause) {
    return pause.compareTo(settings.stall()) > 0;
  }

  /** Whether looks come in time: when not, we may just be waking up, and nobody is judged. */
  boolean steady(long nano) {
    return late(nano).compareTo(settings.pause()) <= 0;
  }

  private Duration late(long nano) {
    return Duration.ofNanos(nano - at).minus(settings.tick());
  }
}
