package dev.crowdlab.hub;

/**
 * A token bucket for the frames and one for the bytes of a session. Guarded by its owner.
 *
 * <p>An agent at the fast cadence sends five frames a second; the burst is for one that was
 * suspended with its machine and catches up.
 */
final class RateLimit {

  static final int BURST_FRAMES = 400;
  static final int FRAMES_PER_SECOND = 50;
  static final int BURST_BYTES = 4 * 1024 * 1024;
  static final int BYTES_PER_SECOND = 256 * 1024;

  private static final double NANOS = 1e9;

  private double frames = BURST_FRAMES;
  private double bytes = BURST_BYTES;
  private long at;

  RateLimit(long nano) {
    at = nano;
  }

  /** Counts a frame; false when it was one too many. */
  boolean admits(int size, long nano) {
    double seconds = (nano - at) / NANOS;
    at = nano;
    frames = Math.min(BURST_FRAMES, frames + seconds * FRAMES_PER_SECOND) - 1;
    bytes = Math.min(BURST_BYTES, bytes + seconds * BYTES_PER_SECOND) - size;
    return frames >= 0 && bytes >= 0;
  }
}
