package dev.crowdlab.cli;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.core.Times;
import dev.crowdlab.experiment.CommandFault;
import dev.crowdlab.experiment.Expectation;
import dev.crowdlab.experiment.Experiment;
import dev.crowdlab.experiment.Fault;
import dev.crowdlab.experiment.KubernetesCluster;
import dev.crowdlab.experiment.Machine;
import dev.crowdlab.experiment.PromptFault;
import dev.crowdlab.experiment.Reports;
import dev.crowdlab.experiment.Results;
import dev.crowdlab.experiment.StudentWitness;
import dev.crowdlab.experiment.Witness;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code crowdlab experiment}: measures creation and recovery on a cluster of the user's. */
@Command(
    name = "experiment",
    description = {
      "Creates a team, has a fault injected into its machine, waits until it is recovered and"
          + " deletes it, over and over. Then compares recovery with creation, step by step.",
      "The fault is injected by programs that you name, or by yourself when you are asked to."
    },
    footer = {
      "",
      "Programs are run without a shell. In each word {vm} becomes the machine's name and {fault}"
          + " the fault's; where {vm} stands nowhere, the machine's name is the last word.",
      "Times count from the moment just before the program starts, by this machine's clock, and"
          + " the steps stand in status by the operator's: both clocks must agree.",
      "Ends with 0 when every run was as expected, 1 when one was not."
    },
    mixinStandardHelpOptions = true)
final class ExperimentCommand implements Callable<Integer> {

  /** What shall become of the team. */
  enum Expected {
    MOVES,
    STAYS,
    UNBROKEN
  }

  @Option(
      names = "--team",
      paramLabel = "FILE",
      required = true,
      description =
          "A LabTeam, YAML: what every team of the experiment is like. Its name begins theirs; its"
              + " namespace is where they are created.")
  private Path team = Path.of("");

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description = "How to reach the cluster. By default as kubectl does it.")
  private @Nullable Path kubeconfig;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "10",
      description = "How often each fault is injected. Default: ${DEFAULT-VALUE}.")
  private int runs;

  @Option(
      names = "--fault",
      paramLabel = "NAME",
      defaultValue = "power-cut",
      description = "What the fault is called; may be given several times. Default: power-cut.")
  private List<String> faults = List.of();

  @Option(
      names = "--fault-command",
      paramLabel = "WORD",
      arity = "1..*",
      description =
          "The program that injects a fault, and its arguments. Without it you are asked.")
  private List<String> inject = List.of();

  @Option(
      names = "--undo-command",
      paramLabel = "WORD",
      arity = "1..*",
      description =
          "The program that undoes it, and its arguments. Without it nothing is undone, and the"
              + " machine must come back by itself.")
  private List<String> undo = List.of();

  @Option(
      names = "--expect",
      paramLabel = "WHAT",
      defaultValue = "MOVES",
      description =
          "What shall become of the team: MOVES to another machine, STAYS on its own, or UNBROKEN:"
              + " no fault at all. Default: ${DEFAULT-VALUE}.")
  private Expected expected = Expected.MOVES;

  @Option(
      names = "--bound",
      paramLabel = "TIME",
      defaultValue = "5m",
      description = "How long each thing is waited for. Default: ${DEFAULT-VALUE}.")
  private String bound = "5m";

  @Option(
      names = "--read",
      paramLabel = "PATH",
      description =
          "A path below the team's URL that a student opens all the time, to count errors and the"
              + " time without an answer. Without it no student asks.")
  private @Nullable String read;

  @Option(
      names = "--append",
      paramLabel = "PATH",
      description =
          "One that appends the body of a POST as a line to what --read shows and answers once that"
              + " is saved; then every reading is compared with what was acknowledged.")
  private @Nullable String append;

  @Option(
      names = "--ingress",
      paramLabel = "HOST:PORT",
      description = "Where the student reaches the ingress. By default by the URL's own name.")
  private @Nullable String ingress;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "experiment",
      description = "Where the results are written to. Default: ${DEFAULT-VALUE}.")
  private Path out = Path.of("experiment");

  @Option(
      names = "--machine",
      paramLabel = "KEY=TEXT",
      description =
          "What the cluster and its machines are, for the reader of the results; may be given"
              + " several times.")
  private Map<String, String> machine = Map.of();

  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Duration each = duration(bound);
    PrintWriter words = requireNonNull(spec, "spec").commandLine().getOut();
    Results results;
    try (KubernetesClient client = client()) {
      LabTeam template = template(client);
      String namespace =
          Optional.ofNullable(template.getMetadata().getNamespace()).orElse(client.getNamespace());
      results =
          new Experiment(
                  new KubernetesCluster(client, namespace, template),
                  witnesses(),
                  new Experiment.Settings(
                      runs, template.getMetadata().getName(), each, Optional.empty()),
                  Clock.systemUTC(),
                  words,
                  soFar -> Reports.keep(soFar, out))
              .run(faults(each, words), machine.isEmpty() ? Machine::here : () -> machine);
    }
    Reports.write(results, out, words);
    return results.hold() ? 0 : 1;
  }

  private KubernetesClient client() throws IOException {
    Config config =
        kubeconfig == null
            ? new ConfigBuilder().build()
            : Config.fromKubeconfig(kubeconfig.toFile());
    return new KubernetesClientBuilder().withConfig(config).build();
  }

  private LabTeam template(KubernetesClient client) throws IOException {
    LabTeam read =
        client.getKubernetesSerialization().unmarshal(Files.readString(team), LabTeam.class);
    if (read == null || read.getSpec() == null || read.getMetadata().getName() == null) {
      throw wrong(team + " holds no LabTeam with a name and a spec");
    }
    return read;
  }

  private List<Fault> faults(Duration each, PrintWriter words) {
    Expectation expectation =
        switch (expected) {
          case MOVES -> new Expectation.Moves(EnumSet.allOf(RecoveryCause.class));
          case STAYS -> new Expectation.Stays();
          case UNBROKEN -> new Expectation.Unbroken(false);
        };
    if (inject.isEmpty()) {
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      return faults.stream()
          .<Fault>map(name -> new PromptFault(checked(name), expectation, in, words))
          .toList();
    }
    return faults.stream()
        .<Fault>map(name -> new CommandFault(checked(name), expectation, inject, undo, each))
        .toList();
  }

  /** It becomes a part of the teams' names. */
  private String checked(String name) {
    if (!name.matches("[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")) {
      throw wrong("a fault's name has lower-case letters, digits and hyphens, not '" + name + "'");
    }
    return name;
  }

  private Witness.Source witnesses() {
    if (read == null) {
      return Witness.NOBODY;
    }
    return StudentWitness.source(
        new StudentWitness.Paths(
            read, Optional.ofNullable(append), Optional.ofNullable(ingress).map(this::address)),
        Clock.systemUTC());
  }

  private InetSocketAddress address(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 1 || !text.substring(colon + 1).matches("[0-9]{1,5}")) {
      throw wrong("--ingress is '" + text + "', but must be HOST:PORT");
    }
    return new InetSocketAddress(
        text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
  }

  private Duration duration(String text) {
    try {
      return Times.parseDuration(text);
    } catch (IllegalArgumentException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  private RuntimeException wrong(String message) {
    return new ParameterException(requireNonNull(spec, "spec").commandLine(), message);
  }
}
