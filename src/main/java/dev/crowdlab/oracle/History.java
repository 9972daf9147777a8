package dev.crowdlab.oracle;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/** The exchanges of a student so far; many threads may add. Bounded: {@link #MOST}. */
public final class History {

  /** About three hours of twenty requests a second. */
  static final int MOST = 200_000;

  private final List<Exchange> exchanges = new ArrayList<>();

  /**
   * Adds one.
   *
   * @throws IllegalStateException when there are too many
   */
  public synchronized void add(Exchange exchange) {
    if (exchanges.size() >= MOST) {
      throw new IllegalStateException("a student has at most " + MOST + " requests");
    }
    exchanges.add(exchange);
    notifyAll();
  }

  /** Those that were sent from a moment on, in the order in which they were sent. */
  public synchronized List<Exchange> from(Instant moment) {
    return exchanges.stream()
        .filter(exchange -> !exchange.sent().isBefore(moment))
        .sorted(Comparator.comparing(Exchange::sent))
        .toList();
  }

  /**
   * Waits until what was exchanged from a moment on is as wanted.
   *
   * @return whether it came to that within the bound
   */
  public synchronized boolean await(
      Instant moment, Predicate<List<Exchange>> wanted, Duration bound)
      throws InterruptedException {
    long end = System.nanoTime() + bound.toNanos();
    while (!wanted.test(from(moment))) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
    return true;
  }
}
