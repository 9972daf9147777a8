package dev.crowdlab.experiment;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Times;
import dev.crowdlab.experiment.Expectation.Seen;
import dev.crowdlab.experiment.Fault.FaultException;
import dev.crowdlab.experiment.Fault.Target;
import dev.crowdlab.oracle.Breach;
import dev.crowdlab.oracle.Exchange;
import dev.crowdlab.oracle.Exchange.Way;
import dev.crowdlab.oracle.Figures;
import dev.crowdlab.oracle.StudentJudge;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** One fault, injected into the machine of a team that works, and what became of the team. */
public final class Trial {

  /** From here on after the detection the waiting room holds what a student asks. */
  private static final Duration DIVERTED = Duration.ofMillis(250);

  private final Cluster cluster;
  private final Duration bound;
  private final InstantSource clock;
  private final boolean patient;

  /**
   * Trials on a cluster.
   *
   * @param bound for each thing that is waited for
   * @param patient whether a trial ends only when all machines are Ready again that were Ready
   *     before: so that the next one begins as this one did
   */
  public Trial(Cluster cluster, Duration bound, InstantSource clock, boolean patient) {
    this.cluster = cluster;
    this.bound = bound;
    this.clock = clock;
    this.patient = patient;
  }

  /**
   * How it came out.
   *
   * @param vm the machine that had the fault
   * @param sample the recovery's times; null where there was none, or none was expected
   * @param unmet what is otherwise than expected
   * @param breaches what the oracle found: there may be none, whatever the fault
   * @param student what a student met from the injection to the end, by way
   * @param failuresAfterDetection requests that came to nothing although they were sent 250 ms or
   *     more after the detection; 0 where nothing was detected
   */
  public record Outcome(
      String fault,
      int run,
      String vm,
      String expectation,
      @Nullable Sample sample,
      List<String> unmet,
      List<Breach> breaches,
      Map<Way, Figures> student,
      int failuresAfterDetection) {

    public Outcome {
      unmet = List.copyOf(unmet);
      breaches = List.copyOf(breaches);
      student = Map.copyOf(student);
    }

    /** Whether all is as expected, and no promise broken. */
    public boolean holds() {
      return unmet.isEmpty() && breaches.isEmpty();
    }
  }

  /**
   * Injects a fault and undoes it; afterwards the team is Ready, and so are all machines that were.
   *
   * @throws TimeoutException when it does not come to that: the fault is undone all the same
   */
  public Outcome run(Fault fault, int run, String team, Witness witness)
      throws FaultException, InterruptedException, TimeoutException {
    Set<String> machines = cluster.readyMachines();
    LabTeam before = awaitReady(team);
    expectWell(witness, team + " works before the fault");
    Target target = new Target(cluster.namespace(), team, binding(before).vm());
    int writers = witness.writers();
    fault.prepare(target);
    Instant injected;
    LabTeam after;
    try {
      injected = clock.instant();
      fault.inject(target);
      fault.meanwhile(target);
      after = awaitSettled(fault.expectation(), team, binding(before), witness);
    } finally {
      fault.undo(target);
    }
    if (patient) {
      cluster.awaitMachines(machines, bound);
    }
    // What comes back with its machine is judged too.
    after = awaitSettled(fault.expectation(), team, binding(before), witness);
    List<Exchange> exchanges = witness.exchanges(injected);
    Optional<Recovery> recovery = recovery(fault, before, after);
    Instant detected = recovery.map(Recovery::detectedAt).map(Times::parse).orElse(null);
    Map<Way, Figures> student = Figures.byWay(exchanges);
    return new Outcome(
        fault.name(),
        run,
        target.vm(),
        fault.expectation().toString(),
        recovery.map(it -> sample(fault, run, team, injected, it, exchanges)).orElse(null),
        fault
            .expectation()
            .unmet(
                new Seen(
                    before.getStatus(),
                    after.getStatus(),
                    witness.writers() - writers,
                    student.values().stream().mapToInt(Figures::errors).sum())),
        witness.breaches(),
        student,
        detected == null ? 0 : StudentJudge.failuresFrom(exchanges, detected.plus(DIVERTED)));
  }

  private static Sample sample(
      Fault fault,
      int run,
      String team,
      Instant injected,
      Recovery recovery,
      List<Exchange> exchanges) {
    // Until the detection the old machine may still have answered.
    Instant detected = Times.parse(String.valueOf(recovery.detectedAt()));
    return Sample.ofRecovery(
        fault.name(),
        run,
        team,
        injected,
        recovery,
        StudentJudge.firstRightFrom(exchanges, detected).orElse(null));
  }

  /** The first of those that the fault brought. */
  private static Optional<Recovery> recovery(Fault fault, LabTeam before, LabTeam after) {
    if (!(fault.expectation() instanceof Expectation.Moves)) {
      return Optional.empty();
    }
    int more = recoveries(after) - recoveries(before);
    List<Recovery> all = after.getStatus().recoveries();
    return more < 1 || more > all.size() ? Optional.empty() : Optional.of(all.get(more - 1));
  }

  private LabTeam awaitReady(String team) throws TimeoutException {
    return cluster.await(team, "Ready", Trial::isReady, bound);
  }

  private LabTeam awaitSettled(
      Expectation expectation, String team, Binding before, Witness witness)
      throws TimeoutException, InterruptedException {
    LabTeam after =
        switch (expectation) {
          case Expectation.Moves _ ->
              cluster.await(
                  team,
                  "Ready after epoch " + before.epoch(),
                  now -> isReady(now) && binding(now).epoch() > before.epoch(),
                  bound);
          case Expectation.Stays _, Expectation.Returns _, Expectation.Unbroken _ ->
              awaitReady(team);
        };
    expectWell(witness, team + " works after the fault");
    return after;
  }

  private void expectWell(Witness witness, String what)
      throws TimeoutException, InterruptedException {
    Optional<String> ill = witness.awaitWell(bound);
    if (ill.isPresent()) {
      throw new TimeoutException(
          "not so after " + bound.toSeconds() + " s: " + what + ": " + ill.get());
    }
  }

  private static boolean isReady(LabTeam team) {
    LabTeamStatus status = team.getStatus();
    return status.binding() != null && Conditions.holds(status.conditions(), ConditionType.READY);
  }

  private static Binding binding(LabTeam team) {
    Binding binding = team.getStatus().binding();
    if (binding == null) {
      throw new IllegalStateException(team.getMetadata().getName() + " is bound to no machine");
    }
    return binding;
  }

  private static int recoveries(LabTeam team) {
    Integer count = team.getStatus().recoveryCount();
    return count == null ? 0 : count;
  }
}
