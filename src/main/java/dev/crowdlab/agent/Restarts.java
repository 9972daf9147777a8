package dev.crowdlab.agent;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * When a container that ended is started again: soon at first, then ever later. After {@link
 * #PATIENCE} ends in a row the run counts as failed, and is still tried again at the slowest pace,
 * so that it recovers by itself once its cause is gone. Times are those of the monotonic clock.
 */
final class Restarts {

  static final int PATIENCE = 5;

  private static final long FIRST = Duration.ofMillis(200).toNanos();
  private static final long LONGEST = Duration.ofMinutes(1).toNanos();
  private static final long STABLE = Duration.ofMinutes(1).toNanos();

  private final Map<String, Ends> records = new HashMap<>();

  private static final class Ends {
    private int total;
    private int inARow;
    private long startedAt;
    private long dueAt;
    private boolean waiting;
  }

  void started(String container, long now) {
    Ends record = of(container);
    record.startedAt = now;
    record.waiting = false;
  }

  /** The container is not running: tells when it is due, the same time until it is started. */
  long due(String container, long now) {
    Ends record = of(container);
    if (!record.waiting) {
      record.inARow = now - record.startedAt >= STABLE ? 1 : record.inARow + 1;
      record.total++;
      record.dueAt = now + Math.min(LONGEST, FIRST << Math.min(20, 2 * (record.inARow - 1)));
      record.waiting = true;
    }
    return record.dueAt;
  }

  /** How often it was started again, or is about to be. */
  int count(String container) {
    return of(container).total;
  }

  /** Whether the container ended so often in a row that a person should look. */
  boolean hopeless(String container) {
    return of(container).inARow >= PATIENCE;
  }

  /** It has run for long enough to forget the past. */
  void running(String container, long now) {
    Ends record = of(container);
    if (now - record.startedAt >= STABLE) {
      record.inARow = 0;
    }
  }

  private Ends of(String container) {
    return records.computeIfAbsent(container, name -> new Ends());
  }
}
