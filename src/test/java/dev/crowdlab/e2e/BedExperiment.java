package dev.crowdlab.e2e;

import dev.crowdlab.e2e.LabFault.Lengths;
import dev.crowdlab.experiment.Experiment;
import dev.crowdlab.experiment.Machine;
import dev.crowdlab.experiment.Reports;
import dev.crowdlab.experiment.Results;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.TestBed;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The experiment on the test bed: every kind of fault, each as often as is asked for, with the
 * oracle. It measures the operator that is built here as a user's {@code crowdlab experiment} would
 * measure theirs.
 */
@Command(
    name = "experiment",
    description = "Injects faults into a lab on this machine, and measures what becomes of a team.",
    mixinStandardHelpOptions = true)
public final class BedExperiment implements Callable<Integer> {

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "10",
      description = "How often each fault is injected. Default: ${DEFAULT-VALUE}.")
  private int runs;

  @Option(
      names = "--faults",
      paramLabel = "NAME",
      split = ",",
      description = "Which, in this order, with commas between. By default all; --list names them.")
  private List<String> faults = List.of();

  @Option(names = "--list", description = "Lists the faults and what is expected, and ends.")
  private boolean list;

  /** How long outages and the like take. */
  private static final class Manner {
    @Option(
        names = "--brief",
        description = "A minute's outage and the like take seconds, as in the tests.")
    private boolean brief;

    @Option(
        names = "--lasting",
        description = "The operator or the API server is away for ten minutes.")
    private boolean lasting;
  }

  @ArgGroup private Manner manner = new Manner();

  @Option(
      names = "--minutes",
      paramLabel = "N",
      description =
          "When so many have passed no further run begins. By default as long as it takes.")
  private @Nullable Integer minutes;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "target/experiment",
      description = "Where the results are written to. Default: ${DEFAULT-VALUE}.")
  private Path out;

  /** The words may come as one: {@code launch} passes them so. */
  public static void main(String[] args) {
    String words = String.join(" ", args).strip();
    System.exit(
        new CommandLine(new BedExperiment())
            .execute(words.isEmpty() ? new String[0] : words.split(" +")));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter words = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    if (list) {
      LabFault.all()
          .forEach(fault -> words.printf("%-26s %s%n", fault.word(), fault.expectation()));
      return 0;
    }
    List<LabFault> chosen =
        faults.isEmpty() ? LabFault.all() : faults.stream().map(LabFault::of).toList();
    Lengths lengths =
        manner.brief ? Lengths.BRIEF : manner.lasting ? Lengths.LASTING : Lengths.FULL;
    TestBed testBed = TestBed.ready();
    Results results;
    try (ControlPlane controlPlane = ControlPlane.start(testBed);
        LabNetwork network = LabNetwork.create(testBed);
        IngressBed ingress = IngressBed.start(testBed, controlPlane);
        Bed bed =
            Bed.start(
                controlPlane,
                network,
                ingress,
                "experiment",
                List.of("x-one", "x-two", "x-three"),
                Duration.ofSeconds(1))) {
      words.println("operator's log: " + bed.lab().operatorLog());
      results =
          new Experiment(
                  bed.cluster("watched"),
                  team -> BedWitness.of(bed, team, lengths.student),
                  new Experiment.Settings(
                      runs, "x", Bed.BOUND, Optional.ofNullable(minutes).map(Duration::ofMinutes)),
                  Clock.systemUTC(),
                  words,
                  soFar -> Reports.keep(soFar, out))
              .run(chosen.stream().map(fault -> fault.in(bed, lengths)).toList(), Machine::here);
    }
    Reports.write(results, out, words);
    return results.hold() ? 0 : 1;
  }
}
