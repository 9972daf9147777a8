package dev.crowdlab.operator;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.storage.Workspaces;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prepares the file server ahead of the first team, on a thread of its own, and again until it is
 * prepared: a team's own advance would do it otherwise, and installing packages takes longer than a
 * team waits.
 */
final class Preparation implements AutoCloseable {

  static final Duration FIRST_DELAY = Duration.ofSeconds(5);
  static final Duration LONGEST_DELAY = Duration.ofMinutes(1);

  private static final Duration BOUND = Duration.ofMinutes(5);

  private static final Logger LOG = LoggerFactory.getLogger(Preparation.class);

  private final Workspaces workspaces;
  private final Duration longestDelay;
  private final ScheduledExecutorService executor =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("prepare").daemon().factory());
  private Duration delay;
  private String said = "";

  /**
   * @param firstDelay after the first failure; each further one doubles it
   * @param longestDelay at most
   */
  Preparation(Workspaces workspaces, Duration firstDelay, Duration longestDelay) {
    this.workspaces = requireNonNull(workspaces, "workspaces");
    this.delay = requireNonNull(firstDelay, "firstDelay");
    this.longestDelay = requireNonNull(longestDelay, "longestDelay");
  }

  void start() {
    after(Duration.ZERO);
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }

  private void after(Duration time) {
    try {
      var _ = executor.schedule(this::attempt, time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed; the file server is not prepared");
    }
  }

  private void attempt() {
    Outcome<?> outcome;
    try {
      outcome = workspaces.prepare(Deadline.in(BOUND));
    } catch (RuntimeException e) {
      LOG.error("preparing the file server failed", e);
      again();
      return;
    }
    switch (outcome) {
      case Outcome.Done<?> _ -> executor.shutdown();
      case Outcome.InProgress<?> _ -> again();
      case Outcome.Failed<?>(Failure why) -> {
        if (!said.equals(why.message())) {
          said = why.message();
          LOG.warn("the file server is not prepared yet: {}", why.message());
        }
        // Only another configuration, and so another process, changes that.
        if (why.reason() == Reason.FILE_SERVER_NOT_CONFIGURED) {
          executor.shutdown();
        } else {
          again();
        }
      }
    }
  }

  private void again() {
    after(delay);
    Duration twice = delay.multipliedBy(2);
    delay = twice.compareTo(longestDelay) < 0 ? twice : longestDelay;
  }
}
