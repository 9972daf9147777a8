package dev.crowdlab.experiment;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.Creation;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Times;
import dev.crowdlab.experiment.Fault.FaultException;
import dev.crowdlab.experiment.Trial.Outcome;
import dev.crowdlab.oracle.Exchange;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Creates a team, injects a fault, lets it recover and deletes it; over and over. */
public final class Experiment {

  private final Cluster cluster;
  private final Witness.Source witnesses;
  private final Settings settings;
  private final InstantSource clock;
  private final PrintWriter progress;
  private final Keeper keeper;
  private final List<Sample> samples = new ArrayList<>();
  private final List<Outcome> outcomes = new ArrayList<>();

  /**
   * How much.
   *
   * @param runs of each fault
   * @param teams what the teams' names begin with
   * @param bound for each thing that is waited for
   * @param within when so much time has passed no further run begins; empty: as long as it takes
   */
  public record Settings(int runs, String teams, Duration bound, Optional<Duration> within) {
    public Settings {
      if (runs < 1) {
        throw new IllegalArgumentException("runs is " + runs + ", but must be at least 1");
      }
    }
  }

  /** Keeps what was measured so far: whatever ends the experiment, that much is not lost. */
  public interface Keeper {
    void keep(Results soFar) throws IOException;
  }

  /**
   * An experiment on a cluster.
   *
   * @param progress gets a line for each run
   * @param keeper gets the results after each run
   */
  public Experiment(
      Cluster cluster,
      Witness.Source witnesses,
      Settings settings,
      InstantSource clock,
      PrintWriter progress,
      Keeper keeper) {
    this.cluster = cluster;
    this.witnesses = witnesses;
    this.settings = settings;
    this.clock = clock;
    this.progress = progress;
    this.keeper = keeper;
  }

  /**
   * Runs it. A run that does not come to its end within the bounds counts as one that did not meet
   * its expectation, and the next one begins. A fault that cannot be injected or undone ends the
   * experiment: what would be measured then is something else. So does a cluster or a bed that does
   * not answer any more.
   *
   * @param machine what it is run on, for the reader of the results; asked after each run
   * @return what was measured until the end
   * @throws IOException when the results cannot be kept
   */
  public Results run(List<? extends Fault> faults, Supplier<Map<String, String>> machine)
      throws InterruptedException, IOException {
    Instant began = clock.instant();
    try {
      for (Fault fault : faults) {
        for (int run = 1; run <= settings.runs(); run++) {
          if (isOver(began)) {
            progress.println("the experiment ends: its time is over");
            progress.flush();
            return results(began, machine);
          }
          Outcome outcome = once(fault, run);
          outcomes.add(outcome);
          tell(outcome);
          keeper.keep(results(began, machine));
        }
      }
    } catch (FaultException e) {
      progress.println("the experiment ends: " + e.getMessage());
      progress.flush();
    }
    return results(began, machine);
  }

  private boolean isOver(Instant began) {
    Duration passed = Duration.between(began, clock.instant());
    return settings.within().filter(most -> passed.compareTo(most) >= 0).isPresent();
  }

  private Results results(Instant began, Supplier<Map<String, String>> machine) {
    return new Results(began, settings.runs(), machine.get(), samples, outcomes);
  }

  private Outcome once(Fault fault, int run) throws FaultException, InterruptedException {
    String team = "%s-%s-%d".formatted(settings.teams(), fault.name(), run);
    try {
      return created(fault, run, team);
    } catch (TimeoutException e) {
      return failed(fault, run, e);
    } catch (FaultException | RuntimeException | AssertionError e) {
      Outcome failed = failed(fault, run, e);
      outcomes.add(failed);
      tell(failed);
      throw e instanceof FaultException said
          ? said
          : new FaultException(failed.unmet().getFirst(), e);
    } finally {
      delete(team);
    }
  }

  private static Outcome failed(Fault fault, int run, Throwable e) {
    return new Outcome(
        fault.name(),
        run,
        "",
        fault.expectation().toString(),
        null,
        List.of(String.valueOf(e.getMessage())),
        List.of(),
        Map.of(),
        0);
  }

  private Outcome created(Fault fault, int run, String team)
      throws FaultException, InterruptedException, TimeoutException {
    Instant applied = clock.instant();
    cluster.create(team);
    LabTeam ready = cluster.await(team, "Ready", Experiment::isCreated, settings.bound());
    try (Witness witness = witnesses.of(ready)) {
      Optional<String> ill = witness.awaitWell(settings.bound());
      if (ill.isPresent()) {
        throw new TimeoutException(team + " is Ready, and does not work: " + ill.get());
      }
      samples.add(creation(run, ready, applied, witness));
      Outcome outcome =
          new Trial(cluster, settings.bound(), clock, true).run(fault, run, team, witness);
      Sample recovery = outcome.sample();
      if (recovery != null) {
        samples.add(recovery);
      }
      return outcome;
    }
  }

  private static Sample creation(int run, LabTeam ready, Instant applied, Witness witness) {
    var binding = ready.getStatus().binding();
    Duration answered =
        witness.exchanges(applied).stream()
            .filter(exchange -> exchange.answer() == Exchange.Answer.RIGHT)
            .map(Exchange::ended)
            .min(Instant::compareTo)
            .map(at -> Duration.between(applied, at))
            .orElse(null);
    Creation creation = ready.getStatus().creation();
    if (creation == null) {
      throw new IllegalStateException("a team that is Ready has a creation");
    }
    return Sample.ofCreation(
        run,
        ready.getMetadata().getName(),
        binding == null ? null : binding.vm(),
        creation,
        answered);
  }

  /** Ready, and its times written. */
  private static boolean isCreated(LabTeam team) {
    Creation creation = team.getStatus().creation();
    return creation != null
        && creation.duration() != null
        && Conditions.holds(team.getStatus().conditions(), ConditionType.READY);
  }

  private void delete(String team) {
    try {
      cluster.delete(team, settings.bound());
    } catch (TimeoutException | RuntimeException e) {
      // The next run has a team of its own.
      progress.println(team + " is left: " + e.getMessage());
    }
  }

  private void tell(Outcome outcome) {
    StringBuilder line = new StringBuilder();
    line.append(outcome.fault()).append(' ').append(outcome.run()).append(" of ");
    line.append(settings.runs()).append(": ");
    Sample sample = outcome.sample();
    if (sample == null) {
      line.append(outcome.expectation());
    } else {
      line.append(sample.from()).append(" -> ").append(sample.to());
      line.append(" in ").append(Times.formatDuration(sample.total()));
      line.append(", detected after ").append(Times.formatDuration(sample.detection()));
    }
    line.append(outcome.holds() ? "" : ": NOT AS EXPECTED");
    outcome.unmet().forEach(unmet -> line.append("\n  ").append(unmet));
    outcome.breaches().forEach(breach -> line.append("\n  ").append(breach));
    progress.println(line);
    progress.flush();
  }
}
