package dev.crowdlab.agent;

import java.util.concurrent.TimeUnit;

/** How long the steps of a run took, each since its order came; for one log line. */
final class StepTimes {

  private volatile long began = System.nanoTime();
  private volatile long containersMade = began;
  private volatile long attached = began;
  private volatile long started = began;
  private volatile long answered = began;

  /** The order came; what was made before it has a time below zero. */
  void ordered() {
    began = System.nanoTime();
  }

  void containersMade() {
    containersMade = System.nanoTime();
  }

  void attached() {
    attached = System.nanoTime();
  }

  void started() {
    started = System.nanoTime();
  }

  void answered() {
    answered = System.nanoTime();
  }

  private long since(long step) {
    return TimeUnit.NANOSECONDS.toMillis(step - began);
  }

  @Override
  public String toString() {
    return "containers made after %d ms, attached after %d ms, started after %d ms, answering after %d ms"
        .formatted(since(containersMade), since(attached), since(started), since(answered));
  }
}
