package dev.crowdlab.agent;

import java.util.concurrent.TimeUnit;

/** How long the steps of a run took, each since its order came; for one log line. */
final class StepTimes {

  private final long began = System.nanoTime();
  private long prepared;
  private long attached;
  private long started;
  private long answered;

  void prepared() {
    prepared = since();
  }

  void attached() {
    attached = since();
  }

  void started() {
    started = since();
  }

  void answered() {
    answered = since();
  }

  private long since() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
  }

  @Override
  public String toString() {
    return "containers made after %d ms, attached after %d ms, started after %d ms, answering after %d ms"
        .formatted(prepared, attached, started, answered);
  }
}
