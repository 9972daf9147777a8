package dev.crowdlab.hub;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * The two clocks of the hub: the wall's for what people read, the monotonic one for every measured
 * time, so that a jump of the wall's clock is no fault.
 */
public record HubClock(InstantSource wall, LongSupplier nanos) {

  public HubClock {
    requireNonNull(wall, "wall");
    requireNonNull(nanos, "nanos");
  }

  /** The machine's clocks. */
  public static HubClock system() {
    return new HubClock(InstantSource.system(), System::nanoTime);
  }

  Instant now() {
    return wall.instant();
  }

  long nano() {
    return nanos.getAsLong();
  }

  /** The time since an earlier {@link #nano}. */
  Duration since(long nano) {
    return Duration.ofNanos(nanos.getAsLong() - nano);
  }
}
