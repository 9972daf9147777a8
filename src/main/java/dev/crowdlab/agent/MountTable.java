package dev.crowdlab.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What is mounted where, as a process sees it (proc_pid_mountinfo(5)). */
final class MountTable {

  private MountTable() {}

  /**
   * The device that a process sees mounted at a path, the last of several; empty without, and when
   * there is no such process.
   *
   * @param process its number, or {@code self}; empty: none
   */
  static Optional<String> device(String process, String path) {
    if (process.isEmpty()) {
      return Optional.empty();
    }
    try {
      return deviceIn(Files.readString(Path.of("/proc", process, "mountinfo")), path);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Finds a mount point in the text of a mountinfo: its device as {@code major:minor}. */
  static Optional<String> deviceIn(String mountinfo, String path) {
    Optional<String> device = Optional.empty();
    for (String line : mountinfo.lines().toList()) {
      String[] fields = line.split(" ", -1);
      if (fields.length > 5 && fields[4].equals(path)) {
        device = Optional.of(fields[2]);
      }
    }
    return device;
  }
}
