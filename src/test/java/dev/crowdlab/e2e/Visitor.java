package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.testbed.Browser;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A student's client that asks for one page without a pause, one request after the other. */
final class Visitor implements AutoCloseable {

  private final Browser browser;
  private final String url;
  private final List<Long> answers = new ArrayList<>();
  private final List<String> refused = new ArrayList<>();
  private final Thread thread;
  private volatile boolean stopped;

  private Visitor(Browser browser, String url) {
    this.browser = browser;
    this.url = url;
    this.thread = Thread.ofVirtual().name("visitor").start(this::visit);
  }

  static Visitor start(Browser browser, String url) {
    return new Visitor(browser, url);
  }

  private void visit() {
    while (!stopped) {
      Browser.Page page = browser.get(url);
      synchronized (this) {
        if (page.status() == 200) {
          answers.add(System.nanoTime());
        } else {
          refused.add(page.toString());
        }
        notifyAll();
      }
    }
  }

  /** Forgets what was until now. */
  synchronized void begin() {
    answers.clear();
    refused.clear();
    answers.add(System.nanoTime());
  }

  /** Waits for so many more answers. */
  synchronized void awaitMore(int wanted, Duration bound) throws InterruptedException {
    int enough = answers.size() + wanted;
    long end = System.nanoTime() + bound.toNanos();
    while (answers.size() < enough) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError("no answer any more; refused: " + refused);
      }
      wait(left);
    }
  }

  /** The longest time from one answer to the next since {@link #begin}. */
  synchronized Duration longestWait() {
    long longest = 0;
    for (int i = 1; i < answers.size(); i++) {
      longest = Math.max(longest, answers.get(i) - answers.get(i - 1));
    }
    return Duration.ofNanos(longest);
  }

  synchronized int refused() {
    return refused.size();
  }

  synchronized void checkNothingRefused() {
    assertThat(refused).isEmpty();
  }

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
