package dev.crowdlab.e2e;

import dev.crowdlab.operator.ConfigFile;
import dev.crowdlab.operator.OperatorProcess;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The operator, which dies as by kill -9 right after a step, before anything else happens. */
final class CrashingOperator {

  private CrashingOperator() {}

  public static void main(String[] args) throws Exception {
    List<String> words = List.of(args);
    String dieAfter = System.getProperty("crowdlab.test.dieAfter");
    try (OperatorProcess process =
        OperatorProcess.start(
            ConfigFile.read(Path.of(words.get(words.indexOf("--config") + 1))),
            Optional.of(Path.of(words.get(words.indexOf("--kubeconfig") + 1))),
            (step, team) -> {
              if (step.equals(dieAfter)) {
                Runtime.getRuntime().halt(137);
              }
            })) {
      process.awaitEnd();
    }
  }
}
