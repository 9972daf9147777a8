package dev.crowdlab.hub;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.PriorityQueue;

/** Both clocks and the timers of the hub, moved by the test alone. */
final class ManualTime implements Timers {

  private static final Instant START = Instant.parse("2026-03-01T08:00:00Z");

  private record Task(long at, long order, Runnable run) {}

  private final PriorityQueue<Task> tasks =
      new PriorityQueue<>(Comparator.comparingLong(Task::at).thenComparingLong(Task::order));
  private long nanos = 7_000_000_000L;
  private Duration wallAhead = Duration.ZERO;
  private long order;

  HubClock clock() {
    return new HubClock(() -> START.plusNanos(nanos).plus(wallAhead), () -> nanos);
  }

  @Override
  public void after(Duration delay, Runnable task) {
    tasks.add(new Task(nanos + delay.toNanos(), order++, task));
  }

  /** Time goes on; what is due is done at its time. */
  void pass(Duration time) {
    long end = nanos + time.toNanos();
    for (Task next = tasks.peek(); next != null && next.at() <= end; next = tasks.peek()) {
      tasks.remove(next);
      nanos = Math.max(nanos, next.at());
      next.run().run();
    }
    nanos = end;
  }

  /** Time goes on and we sleep through it: timers run late. */
  void sleepThrough(Duration time) {
    nanos += time.toNanos();
  }

  /** The wall's clock jumps; the monotonic one does not. */
  void jump(Duration by) {
    wallAhead = wallAhead.plus(by);
  }
}
