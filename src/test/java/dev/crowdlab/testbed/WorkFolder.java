package dev.crowdlab.testbed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A temporary folder that names the process it belongs to, so that those of dead processes can be
 * removed.
 */
public final class WorkFolder implements AutoCloseable {
  private static final String PREFIX = "crowdlab-testbed-";

  private final Path path;

  private WorkFolder(Path path) {
    this.path = path;
  }

  /**
   * A new, empty one; those of processes that are no more are removed.
   *
   * @throws UncheckedIOException when it cannot be made
   */
  public static WorkFolder create() {
    try {
      Path parent = Path.of(System.getProperty("java.io.tmpdir"));
      removeOrphans(parent);
      return new WorkFolder(
          Files.createTempDirectory(parent, prefix(ProcessHandle.current().pid())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How the names of all that a process makes begin. */
  static String prefix(long pid) {
    return PREFIX + pid + "-";
  }

  /** A file in it. */
  public Path resolve(String name) {
    return path.resolve(name);
  }

  /** A port of the loopback interface that was free a moment ago. */
  static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    remove(path);
  }

  private static void removeOrphans(Path parent) throws IOException {
    try (Stream<Path> all = Files.list(parent)) {
      all.filter(folder -> folder.getFileName().toString().startsWith(PREFIX))
          .filter(folder -> ProcessHandle.of(owner(folder)).isEmpty())
          .forEach(WorkFolder::removeOrphan);
    }
  }

  /** Others who start now may remove the same one. */
  private static void removeOrphan(Path folder) {
    try {
      remove(folder);
    } catch (UncheckedIOException e) {
      if (!(e.getCause() instanceof NoSuchFileException)) {
        throw e;
      }
    }
  }

  private static long owner(Path folder) {
    return Long.parseLong(folder.getFileName().toString().split("-")[2]);
  }

  private static void remove(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
