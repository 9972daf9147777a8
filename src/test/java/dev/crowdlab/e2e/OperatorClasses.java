package dev.crowdlab.e2e;

import dev.crowdlab.testbed.Command;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An archive of the classes that an operator loads (class data sharing, JEP 310), made from a
 * running one: much of what a start costs is to load and verify them, and tests start dozens. The
 * archive knows the jar that it was made of; with another one it is not used.
 */
final class OperatorClasses {

  private static final Path ARCHIVE = Path.of("target/operator.jsa").toAbsolutePath();
  private static final Duration BOUND = Duration.ofMinutes(2);
  private static final AtomicBoolean BEGUN = new AtomicBoolean();

  private OperatorClasses() {}

  /** The JVM's options, with which it takes what is there. */
  static List<String> options() {
    return Files.exists(ARCHIVE)
        ? List.of("-Xshare:auto", "-XX:SharedArchiveFile=" + ARCHIVE)
        : List.of();
  }

  /** Keeps the classes of a running operator, unless it was done in this JVM. */
  static void keep(Process operator) {
    if (operator.isAlive() && BEGUN.compareAndSet(false, true)) {
      Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
      try {
        Command.output(
            BOUND,
            List.of(
                jcmd.toString(),
                Long.toString(operator.pid()),
                "VM.cds",
                "static_dump",
                ARCHIVE.toString()));
      } finally {
        // What the dump said, which the JVM leaves where it runs.
        for (String stream : List.of("stdout", "stderr")) {
          Path.of("java_pid%d_%s".formatted(operator.pid(), stream)).toFile().delete();
        }
      }
    }
  }
}
