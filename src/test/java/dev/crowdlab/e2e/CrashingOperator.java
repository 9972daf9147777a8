package dev.crowdlab.e2e;

import dev.crowdlab.operator.ConfigFile;
import dev.crowdlab.operator.OperatorProcess;
import dev.crowdlab.testbed.Command;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The operator, which dies as by kill -9, or stands still as by SIGSTOP, right after a step, before
 * anything else happens. Which step, a file says, at any time: it need not be known when the
 * operator starts.
 */
final class CrashingOperator {

  private CrashingOperator() {}

  public static void main(String[] args) throws Exception {
    List<String> words = List.of(args);
    Path doom = Path.of(System.getProperty("crowdlab.test.doom"));
    try (OperatorProcess process =
        OperatorProcess.start(
            ConfigFile.read(Path.of(words.get(words.indexOf("--config") + 1))),
            Optional.of(Path.of(words.get(words.indexOf("--kubeconfig") + 1))),
            (step, team) -> {
              String doomed = read(doom);
              if (doomed.equals(step)) {
                Runtime.getRuntime().halt(137);
              }
              if (doomed.equals("stop " + step)) {
                standStill();
              }
            })) {
      process.awaitEnd();
    }
  }

  private static void standStill() {
    long self = ProcessHandle.current().pid();
    Command.output(Duration.ofSeconds(10), List.of("kill", "-STOP", Long.toString(self)));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
