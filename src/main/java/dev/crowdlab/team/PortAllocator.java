package dev.crowdlab.team;

import java.time.Duration;
import java.time.Instant;
import java.util.OptionalInt;
import java.util.function.IntPredicate;

/**
 * Chooses a machine's port for an exercise: a pure function of the clock, so that an operator that
 * was restarted goes on where its predecessor was.
 *
 * <p>A port that was given back must not lead to another team while somebody may still hold the old
 * address. So time is cut into windows of {@link #WINDOW}, the range into {@link #SLICES} slices,
 * and each window takes its ports from a slice of its own, sweeping it once from first to last. A
 * port is met again after {@code SLICES - 1} windows at the earliest. What the clock cannot know, a
 * port that was held for longer than that and given back just now, the caller refuses through
 * {@code taken}, as long as it remembers.
 */
final class PortAllocator {

  /** A port is not given away again within this time. */
  static final Duration WINDOW = Duration.ofMinutes(10);

  /** The parts of a range that take turns. */
  static final int SLICES = 4;

  private PortAllocator() {}

  /**
   * The ports that may be used.
   *
   * @param first the first port, at least 1
   * @param last the last port, at most 65535
   */
  record Range(int first, int last) {
    Range {
      if (first < 1 || last > 65_535 || last - first + 1 < SLICES) {
        throw new IllegalArgumentException(
            "a range of ports needs at least " + SLICES + " in 1..65535: " + first + "-" + last);
      }
    }

    int size() {
      return last - first + 1;
    }

    boolean contains(int port) {
      return port >= first && port <= last;
    }
  }

  /**
   * The next port of a machine.
   *
   * @param taken whether a port is in use on the machine, or was until a moment ago
   * @param cursor the last port chosen on this machine, if that is known
   * @return empty when every port of the range is taken
   */
  static OptionalInt next(Range range, IntPredicate taken, OptionalInt cursor, Instant now) {
    long window = Math.floorDiv(now.getEpochSecond(), WINDOW.toSeconds());
    int slice = (int) Math.floorMod(window, (long) SLICES);
    int start = sliceStart(range, slice);
    int end = sliceStart(range, slice + 1);
    long secondsIn = Math.floorMod(now.getEpochSecond(), WINDOW.toSeconds());
    int swept = start + (int) ((end - start) * secondsIn / WINDOW.toSeconds());
    int from = swept;
    if (cursor.isPresent() && cursor.getAsInt() >= start && cursor.getAsInt() < end) {
      from = Math.max(swept, cursor.getAsInt() + 1);
    }
    // Ahead in this window's slice; then what is left of the range, the slice that rested longest
    // first, and this slice's beginning, which was used last, at the end.
    for (int offset = 0; offset < range.size(); offset++) {
      int port = range.first() + Math.floorMod(from - range.first() + offset, range.size());
      if (!taken.test(port)) {
        return OptionalInt.of(port);
      }
    }
    return OptionalInt.empty();
  }

  private static int sliceStart(Range range, int slice) {
    return range.first() + (int) ((long) range.size() * slice / SLICES);
  }
}
