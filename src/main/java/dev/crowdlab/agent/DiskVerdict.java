package dev.crowdlab.agent;

import dev.crowdlab.agent.Disks.Trial;
import dev.crowdlab.protocol.FromAgent.DiskState;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What is held of one file system, trial by trial. A disk that was full counts as mended only once
 * there is some room, so that one at the edge does not change its state with each file.
 */
final class DiskVerdict {

  /**
   * With less than this left it is full, though root may still write: what exercises write as
   * somebody else fails by then.
   */
  static final long LEAST = 4L << 20;

  /** What must be left again: some images' layers are larger, logs and an agent's files are not. */
  static final long ENOUGH = 16L << 20;

  /** How many files a disk must take that took none: space is counted, inodes are not. */
  static final int SEVERAL = 8;

  private @Nullable DiskState held;

  /** What is held; empty before the first trial that said something. */
  Optional<DiskState> held() {
    return Optional.ofNullable(held);
  }

  /** How many files the next trial has to write. */
  int files() {
    return held == null || held == DiskState.WRITABLE ? 1 : SEVERAL;
  }

  /** Takes a trial into account; one that says nothing changes nothing. */
  void heed(Trial trial) {
    trial
        .state()
        .ifPresent(
            found -> {
              long least = held == DiskState.FULL ? ENOUGH : LEAST;
              boolean tight = found == DiskState.WRITABLE && trial.usable() < least;
              held = tight ? DiskState.FULL : found;
            });
  }
}
