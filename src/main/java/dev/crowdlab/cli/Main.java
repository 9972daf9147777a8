package dev.crowdlab.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** The command line's entry point. */
@Command(
    name = "crowdlab",
    description = "A Kubernetes operator for a crowd-resourced virtual laboratory.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    subcommands = {OperatorCommand.class, ExperimentCommand.class, HelpCommand.class})
public final class Main {

  private Main() {}

  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }
}
