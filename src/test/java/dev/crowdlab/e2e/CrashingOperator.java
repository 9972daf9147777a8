package dev.crowdlab.e2e;

import dev.crowdlab.operator.ConfigFile;
import dev.crowdlab.operator.OperatorProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The operator, which dies as by kill -9 right after a step, before anything else happens. Which
 * step, a file says, at any time: it need not be known when the operator starts.
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
              if (step.equals(read(doom))) {
                Runtime.getRuntime().halt(137);
              }
            })) {
      process.awaitEnd();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
