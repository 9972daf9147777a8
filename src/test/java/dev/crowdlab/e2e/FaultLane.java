package dev.crowdlab.e2e;

import dev.crowdlab.e2e.LabFault.Lengths;
import dev.crowdlab.experiment.Cluster;
import dev.crowdlab.experiment.Expectation;
import dev.crowdlab.experiment.Trial;
import dev.crowdlab.experiment.Trial.Outcome;
import dev.crowdlab.oracle.Breach;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One team, whose student and writer never rest, and faults of its machine, one after the other.
 * Several lanes go on side by side.
 */
final class FaultLane implements AutoCloseable {

  private final Bed bed;
  private final String team;
  private final Cluster cluster;
  private final Map<LabFault, CompletableFuture<Outcome>> outcomes = new ConcurrentHashMap<>();
  private volatile @Nullable BedWitness witness;
  private @Nullable Thread thread;

  FaultLane(Bed bed, String team) {
    this.bed = bed;
    this.team = team;
    this.cluster = bed.cluster(team);
  }

  /** Creates the team and lets the faults come; returns at once. */
  void start(List<LabFault> faults, Lengths lengths) {
    faults.forEach(fault -> outcomes.put(fault, new CompletableFuture<>()));
    thread = Thread.ofVirtual().name("lane-" + team).start(() -> run(faults, lengths));
  }

  private void run(List<LabFault> faults, Lengths lengths) {
    try {
      cluster.create(team);
      BedWitness its = BedWitness.of(bed, bed.lab().awaitTeamReady(team, Bed.BOUND));
      witness = its;
      for (LabFault fault : faults) {
        outcomes.get(fault).complete(run(fault, lengths, its));
      }
    } catch (Exception | AssertionError e) {
      // The first that is not complete is the one that it was.
      for (LabFault fault : faults) {
        outcomes.get(fault).completeExceptionally(e);
      }
    } finally {
      rest();
    }
  }

  private Outcome run(LabFault fault, Lengths lengths, BedWitness its) throws Exception {
    if (!(fault.expectation() instanceof Expectation.Unbroken)) {
      cluster.awaitMachines(
          bed.machines().stream().map(machine -> machine.name()).collect(Collectors.toSet()),
          Bed.BOUND);
    }
    return new Trial(cluster, Bed.BOUND, Clock.systemUTC(), false)
        .run(fault.in(bed, lengths), 1, team, its);
  }

  boolean takes(LabFault fault) {
    return outcomes.containsKey(fault);
  }

  /** How it came out; waits for it. */
  Outcome outcome(LabFault fault) throws Exception {
    return outcomes.get(fault).get(10 * Bed.BOUND.toSeconds(), TimeUnit.SECONDS);
  }

  /** What the oracle finds when all machines are back. */
  List<Breach> breachesAtTheEnd() throws Exception {
    cluster.awaitMachines(
        bed.machines().stream().map(machine -> machine.name()).collect(Collectors.toSet()),
        Bed.BOUND);
    BedWitness its = witness;
    return its == null ? List.of() : its.breaches();
  }

  /** A line of a report: what it was, how it came out, and what it was like for a student. */
  static void tell(Path report, Outcome outcome) throws IOException {
    Files.writeString(
        report,
        "%s: %s%s; cause %s; without an answer for %s; errors %s%n"
            .formatted(
                outcome.fault(),
                outcome.holds() ? "as expected: " : "NOT AS EXPECTED: ",
                outcome.expectation(),
                outcome.sample() == null ? "none" : outcome.sample().cause(),
                outcome.student().entrySet().stream()
                    .map(way -> way.getKey() + " " + way.getValue().longestSilence().toMillis())
                    .sorted()
                    .collect(Collectors.joining(" ms, ", "", " ms")),
                outcome.student().entrySet().stream()
                    .map(way -> way.getKey() + " " + way.getValue().errors())
                    .sorted()
                    .collect(Collectors.joining(", "))),
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  /** The student rests: what was seen stays. */
  private void rest() {
    BedWitness its = witness;
    if (its != null) {
      its.close();
    }
  }

  @Override
  public void close() {
    Thread its = thread;
    if (its == null) {
      return;
    }
    its.interrupt();
    try {
      its.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
