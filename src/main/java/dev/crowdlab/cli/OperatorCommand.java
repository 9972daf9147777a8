package dev.crowdlab.cli;

import dev.crowdlab.operator.Config;
import dev.crowdlab.operator.ConfigFile;
import dev.crowdlab.operator.ConfigFile.InvalidConfigException;
import dev.crowdlab.operator.OperatorProcess;
import java.nio.file.Path;
import java.security.Security;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code crowdlab operator}: runs until it is told to stop. */
@Command(
    name = "operator",
    description = "Runs the operator against a cluster until it is told to stop.",
    mixinStandardHelpOptions = true)
final class OperatorCommand implements Callable<Integer> {

  private static final String NAMES_REMEMBERED_SECONDS = "3";

  @Option(
      names = "--config",
      paramLabel = "FILE",
      required = true,
      description = "The operator's configuration, YAML.")
  private Path config = Path.of("");

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description =
          "How to reach the cluster. By default as kubectl does it, or as a pod of the cluster.")
  private @Nullable Path kubeconfig;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    // Java remembers a name for 30 s: a corrected DNS record shall count within seconds. Before the
    // first name is looked up, as it is read only then.
    Security.setProperty("networkaddress.cache.ttl", NAMES_REMEMBERED_SECONDS);
    Config read;
    try {
      read = ConfigFile.read(config);
    } catch (InvalidConfigException e) {
      if (spec == null) {
        throw e;
      }
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    try (OperatorProcess process = OperatorProcess.start(read, Optional.ofNullable(kubeconfig))) {
      process.awaitEnd();
    }
    return 0;
  }
}
