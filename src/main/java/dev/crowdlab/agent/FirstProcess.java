package dev.crowdlab.agent;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/**
 * The first process of a container, with whose end all of the container's end. Only of containers
 * whose stop signal is SIGTERM.
 *
 * @param id the container's, which tells whether the number is another process's by now
 */
record FirstProcess(String id, long pid) {

  private static final Pattern HEARD =
      Pattern.compile("^Sig(?:Cgt|Blk):\\s*([0-9a-f]{1,32})$", Pattern.MULTILINE);
  private static final int SIGTERM = 15;
  private static final long POLL_NANOS = 4_000_000;

  /** From podman's words; empty for a container that does not run, or has another stop signal. */
  static Optional<FirstProcess> of(String id, String pid, String stopSignal) {
    boolean usable =
        id.matches("[0-9a-f]{64}")
            && pid.matches("[1-9]\\d{0,9}")
            && (stopSignal.equals("15") || stopSignal.equals("SIGTERM"));
    return usable ? Optional.of(new FirstProcess(id, Long.parseLong(pid))) : Optional.empty();
  }

  boolean isThere() {
    return isThere(Path.of("/proc", Long.toString(pid)), id);
  }

  /** Whether a process of this container is there; also when that cannot be found out. */
  static boolean isThere(Path process, String id) {
    try {
      return Files.readString(process.resolve("cgroup")).contains(id);
    } catch (IOException e) {
      return !saysGone(e);
    }
  }

  /** Of all that can go wrong with a file of {@code /proc/PID}, what the process's end brings. */
  static boolean saysGone(IOException e) {
    return e instanceof NoSuchFileException
        || String.valueOf(e.getMessage()).endsWith("No such process");
  }

  /**
   * Tells it to end; kills it if it neither has a handler for the signal nor holds it back to ask
   * for it: the first process of a container then takes no notice of it, unlike any other process
   * (pid_namespaces(7)).
   */
  void stop() {
    boolean hears = hearsSigterm(Path.of("/proc", Long.toString(pid)));
    if (isThere()) {
      ProcessHandle.of(pid)
          .ifPresent(hears ? ProcessHandle::destroy : ProcessHandle::destroyForcibly);
    }
  }

  /**
   * Waits for its end. Linux tells nobody but the parent of it, which is podman's monitor.
   *
   * @param until on the monotonic clock
   * @return whether it has ended
   */
  boolean awaitEnd(long until) {
    while (isThere()) {
      if (System.nanoTime() - until > 0 || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
    return true;
  }

  /**
   * Whether a process has a handler for SIGTERM, or blocks it as one that waits for signals does,
   * by the text of its {@code /proc/PID/status}; also when that does not tell.
   */
  static boolean hearsSigterm(String status) {
    List<String> masks = HEARD.matcher(status).results().map(found -> found.group(1)).toList();
    return masks.size() < 2
        || masks.stream().anyMatch(mask -> new BigInteger(mask, 16).testBit(SIGTERM - 1));
  }

  private static boolean hearsSigterm(Path process) {
    try {
      return hearsSigterm(Files.readString(process.resolve("status")));
    } catch (IOException e) {
      return true;
    }
  }
}
