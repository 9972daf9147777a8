package dev.crowdlab.e2e;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.e2e.LabFault.Lengths;
import dev.crowdlab.experiment.Cluster;
import dev.crowdlab.experiment.Trial;
import dev.crowdlab.experiment.Trial.Outcome;
import dev.crowdlab.oracle.Breach;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One team, whose student and writer never rest, and faults of its machine, one after the other.
 * Several lanes go on side by side. While a machine comes back the next fault is injected where the
 * team is then, if that leaves it somewhere to go.
 */
final class FaultLane implements AutoCloseable {

  private final Bed bed;
  private final String team;
  private final Cluster cluster;
  private final Clock clock = Clock.systemUTC();
  private final Map<LabFault, CompletableFuture<Told>> told = new ConcurrentHashMap<>();
  private final CompletableFuture<List<Breach>> end = new CompletableFuture<>();
  private @Nullable Thread thread;

  /**
   * How a fault came out.
   *
   * @param began when its turn came
   * @param took until the team had settled
   */
  record Told(Outcome outcome, Instant began, Duration took) {}

  FaultLane(Bed bed, String team) {
    this.bed = bed;
    this.team = team;
    this.cluster = bed.cluster(team);
  }

  /** Creates the team and lets the faults come; returns at once. */
  void start(List<LabFault> faults, Lengths lengths) {
    faults.forEach(fault -> told.put(fault, new CompletableFuture<>()));
    thread = Thread.ofVirtual().name("lane-" + team).start(() -> run(faults, lengths));
  }

  private void run(List<LabFault> faults, Lengths lengths) {
    try {
      cluster.create(team);
      LabTeam ready = bed.lab().awaitTeamReady(team, Bed.BOUND);
      try (BedWitness witness = BedWitness.of(bed, ready, lengths.student)) {
        for (LabFault fault : faults) {
          awaitRoom(fault, faults.subList(0, faults.indexOf(fault)));
          inject(fault, lengths, witness);
        }
        for (LabFault fault : faults) {
          told(fault);
        }
        // When all machines are back, nothing old has come back with them.
        end.complete(witness.breaches());
      }
      cluster.delete(team, Bed.BOUND);
    } catch (Exception | AssertionError e) {
      // The first that is not complete is the one that it was.
      faults.forEach(fault -> told.get(fault).completeExceptionally(e));
      end.completeExceptionally(e);
    }
  }

  /** Waits until so many of the machines are back that the fault needs. */
  private void awaitRoom(LabFault fault, List<LabFault> earlier) throws Exception {
    int mayBeAway = Math.max(0, bed.machines().size() - 1 - fault.others());
    for (LabFault it : earlier.subList(0, Math.max(0, earlier.size() - mayBeAway))) {
      told(it);
    }
  }

  private void inject(LabFault fault, Lengths lengths, BedWitness witness) throws Exception {
    Instant began = clock.instant();
    Aftermath aftermath = Aftermath.of(fault, bed, bed.lab().awaitTeamReady(team, Bed.BOUND));
    Outcome outcome =
        new Trial(cluster, Bed.BOUND, clock, false).run(fault.in(bed, lengths), 1, team, witness);
    Told now = new Told(outcome, began, Duration.between(began, clock.instant()));
    LabTeam after = bed.lab().teamNow(team);
    Thread.ofVirtual()
        .name("lane-%s-%s".formatted(team, fault.word()))
        .start(
            () -> {
              try {
                aftermath.await(after);
                told.get(fault).complete(now);
              } catch (RuntimeException | AssertionError e) {
                told.get(fault).completeExceptionally(e);
              }
            });
  }

  boolean takes(LabFault fault) {
    return told.containsKey(fault);
  }

  /** How it came out, once its machine is back; waits for it. */
  Told told(LabFault fault) throws Exception {
    return told.get(fault).get(10 * Bed.BOUND.toSeconds(), TimeUnit.SECONDS);
  }

  /** What the oracle finds when all machines are back; waits for it. */
  List<Breach> breachesAtTheEnd() throws Exception {
    return end.get(10 * Bed.BOUND.toSeconds(), TimeUnit.SECONDS);
  }

  /** A line of a report: what it was, how it came out, and what it was like for a student. */
  static String line(Told told, Instant start) {
    Outcome outcome = told.outcome();
    return "%s: %s%s; cause %s; at %d s for %.1f s; without an answer for %s; errors %s%n"
        .formatted(
            outcome.fault(),
            outcome.holds() ? "as expected: " : "NOT AS EXPECTED: ",
            outcome.expectation(),
            outcome.sample() == null ? "none" : outcome.sample().cause(),
            Duration.between(start, told.began()).toSeconds(),
            told.took().toMillis() / 1000.0,
            outcome.student().entrySet().stream()
                .map(way -> way.getKey() + " " + way.getValue().longestSilence().toMillis())
                .sorted()
                .collect(Collectors.joining(" ms, ", "", " ms")),
            outcome.student().entrySet().stream()
                .map(way -> way.getKey() + " " + way.getValue().errors())
                .sorted()
                .collect(Collectors.joining(", ")));
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
