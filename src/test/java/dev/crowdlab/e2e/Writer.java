package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.testbed.Browser;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A student who saves one numbered file after the other through the ingress, and remembers which
 * ones were acknowledged: the exercise answers only after fsync. A file without an answer may be
 * there or not; the next one has the next number.
 */
final class Writer implements AutoCloseable {

  private final Browser browser;
  private final String url;
  private final List<Integer> acknowledged = new ArrayList<>();
  private final List<String> refused = new ArrayList<>();
  private final AtomicInteger next = new AtomicInteger();
  private final Thread thread;
  private volatile boolean stopped;

  private Writer(Browser browser, String exercise, String file) {
    this.browser = browser;
    this.url = exercise + "cgi-bin/file?" + file + "-";
    this.thread = Thread.ofVirtual().name("writer").start(this::write);
  }

  static Writer start(Browser browser, String exercise, String file) {
    return new Writer(browser, exercise, file);
  }

  private void write() {
    while (!stopped) {
      int number = next.incrementAndGet();
      Browser.Page page = browser.post(url + number, "line " + number);
      synchronized (acknowledged) {
        if (page.status() == 200) {
          acknowledged.add(number);
        } else {
          refused.add(number + ": " + page.status());
        }
        acknowledged.notifyAll();
      }
    }
  }

  int acknowledged() {
    synchronized (acknowledged) {
      return acknowledged.size();
    }
  }

  /** Waits until so many more lines were acknowledged. */
  void awaitMore(int lines, java.time.Duration bound) throws InterruptedException {
    long end = System.nanoTime() + bound.toNanos();
    synchronized (acknowledged) {
      int wanted = acknowledged.size() + lines;
      while (acknowledged.size() < wanted) {
        long left = (end - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          throw new AssertionError(
              "only " + acknowledged.size() + " of " + wanted + " lines; refused: " + refused);
        }
        acknowledged.wait(left);
      }
    }
  }

  /** Every acknowledged file is there, whole. */
  void check() {
    List<Integer> numbers;
    synchronized (acknowledged) {
      numbers = List.copyOf(acknowledged);
    }
    assertThat(numbers).isNotEmpty().isSorted();
    for (int number : numbers) {
      Browser.Page page = browser.get(url + number);
      assertThat(page.status()).as("file %s: %s", number, page).isEqualTo(200);
      assertThat(page.body().strip()).isEqualTo("line " + number);
    }
  }

  /** Ends after the present line. */
  @Override
  public void close() {
    stopped = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
