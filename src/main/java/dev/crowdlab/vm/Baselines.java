package dev.crowdlab.vm;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.integrity.Baseline;
import java.util.List;
import java.util.Optional;

/**
 * Where baselines are kept: out of the machines' reach, and out of reach of those who may write
 * statuses. One entry per ContributedVM and UID. Every call has a deadline of its own.
 */
public interface Baselines {

  /**
   * Reads what is kept for a VM.
   *
   * @throws BaselinesUnavailableException when that cannot be said now
   */
  Optional<Kept> read(VmRef vm);

  /**
   * Keeps {@code entry}, if nobody wrote since {@code read}.
   *
   * @throws BaselinesUnavailableException when somebody did, or it may not have been written: begin
   *     again with {@link #read}
   */
  void write(VmRef vm, Optional<Kept> read, Entry entry);

  /**
   * Removes what is kept for a VM; nothing happens when there is nothing.
   *
   * @throws BaselinesUnavailableException when it may not have been removed
   */
  void delete(VmRef vm);

  /**
   * An entry as it was read.
   *
   * @param version tells whether somebody wrote since
   */
  record Kept(Entry entry, String version) {
    public Kept {
      requireNonNull(entry, "entry");
      requireNonNull(version, "version");
    }
  }

  /** What is known of a VM's past. */
  sealed interface Entry {

    /**
     * It was accepted.
     *
     * @param older digests of the baselines that this one followed by updates, the last first: a
     *     status may lag behind
     */
    record Accepted(Baseline baseline, List<String> older) implements Entry {
      public Accepted {
        requireNonNull(baseline, "baseline");
        older = List.copyOf(older);
      }
    }

    /** A person accepted the state that it is in. */
    record Released() implements Entry {}

    /** What is there is nothing that we wrote; {@code why} says so without anything of it. */
    record Unusable(String why) implements Entry {}
  }

  /** The baselines cannot be read or written now; trying again may help. */
  final class BaselinesUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public BaselinesUnavailableException(String message) {
      super(message);
    }

    public BaselinesUnavailableException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
