package dev.crowdlab.agent;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Processes that take no notice of a signal. The first process of a container ignores each signal
 * that it has no handler for, unlike any other process (pid_namespaces(7)); to wait for it would be
 * in vain.
 */
final class Deaf {

  private static final Logger LOG = Logger.getLogger(Deaf.class.getName());
  private static final Pattern LINE = Pattern.compile("([0-9a-f]{64}) (\\d{1,10}) (\\d{1,2}|SIGTERM)");
  private static final Pattern CAUGHT =
      Pattern.compile("^SigCgt:\\s*([0-9a-f]{1,32})$", Pattern.MULTILINE);
  private static final int SIGTERM = 15;

  private Deaf() {}

  /**
   * Kills a container's first process if it has no handler for the container's stop signal.
   *
   * @param line container id, process number and signal, as podman prints them
   */
  static void killIfDeaf(String line) {
    Matcher matcher = LINE.matcher(line.strip());
    if (!matcher.matches() || matcher.group(2).equals("0")) {
      return;
    }
    int signal = matcher.group(3).equals("SIGTERM") ? SIGTERM : Integer.parseInt(matcher.group(3));
    Path process = Path.of("/proc", matcher.group(2));
    try {
      // A number may be another process's by now; its group says whose it is.
      if (Files.readString(process.resolve("cgroup")).contains(matcher.group(1))
          && !hears(Files.readString(process.resolve("status")), signal)) {
        ProcessHandle.of(Long.parseLong(matcher.group(2)))
            .ifPresent(ProcessHandle::destroyForcibly);
      }
    } catch (IOException e) {
      LOG.finest("it has ended");
    }
  }

  /** Whether a process has a handler for a signal, by the text of its {@code /proc/PID/status}. */
  static boolean hears(String status, int signal) {
    Matcher matcher = CAUGHT.matcher(status);
    return !matcher.find() || new BigInteger(matcher.group(1), 16).testBit(signal - 1);
  }
}
