package dev.crowdlab.ssh;

import dev.crowdlab.core.Deadline;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Runs an action when a block is not left by the deadline. */
final class Watchdog implements AutoCloseable {

  private final CountDownLatch left = new CountDownLatch(1);

  Watchdog(Deadline deadline, Runnable action) {
    Thread.ofVirtual()
        .name("ssh-deadline")
        .start(
            () -> {
              try {
                if (!left.await(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
                  action.run();
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
  }

  @Override
  public void close() {
    left.countDown();
  }
}
