package dev.crowdlab.hub;

import java.time.Duration;

/** Does things later, on a thread that nothing may block. */
@FunctionalInterface
interface Timers {

  /** Runs the task once; it is dropped when the hub closes before. */
  void after(Duration delay, Runnable task);
}
