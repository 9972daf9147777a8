package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.testbed.Browser;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A student who appends one numbered line after the other to a file, through the ingress, and
 * remembers which ones were acknowledged: the exercise answers only after fsync. A line without an
 * answer may be there whole, in part or not at all; the next one has the next number.
 */
final class Writer implements AutoCloseable {

  private static final Pattern LINE = Pattern.compile("line (\\d+)");

  private final Browser browser;
  private final String append;
  private final String read;
  private final List<Integer> acknowledged = new ArrayList<>();
  private final List<String> refused = new ArrayList<>();
  private final AtomicInteger next = new AtomicInteger();
  private final Thread thread;
  private volatile boolean stopped;

  private Writer(Browser browser, String exercise, String file) {
    this.browser = browser;
    this.append = exercise + "cgi-bin/append?" + file;
    this.read = exercise + "cgi-bin/file?" + file;
    this.thread = Thread.ofVirtual().name("writer").start(this::write);
  }

  static Writer start(Browser browser, String exercise, String file) {
    return new Writer(browser, exercise, file);
  }

  private void write() {
    while (!stopped) {
      int number = next.incrementAndGet();
      Browser.Page page = browser.post(append, "line " + number);
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

  /** Every acknowledged line is there, once, whole and in order. */
  void check() {
    List<Integer> numbers;
    synchronized (acknowledged) {
      numbers = List.copyOf(acknowledged);
    }
    Browser.Page page = browser.get(read);
    assertThat(page.status()).as("%s", page).isEqualTo(200);
    Set<Integer> wanted = Set.copyOf(numbers);
    List<Integer> there =
        page.body()
            .lines()
            .map(LINE::matcher)
            .filter(Matcher::matches)
            .map(line -> Integer.valueOf(line.group(1)))
            .filter(wanted::contains)
            .toList();
    assertThat(numbers).isNotEmpty().isSorted();
    assertThat(there).isEqualTo(numbers);
  }

  /** No request was answered with an error. */
  void checkNothingRefused() {
    synchronized (acknowledged) {
      assertThat(refused).isEmpty();
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
