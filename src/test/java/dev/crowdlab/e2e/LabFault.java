package dev.crowdlab.e2e;

import dev.crowdlab.api.FaultCause;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.experiment.Expectation;
import dev.crowdlab.experiment.Fault;
import dev.crowdlab.experiment.StudentWitness;
import dev.crowdlab.testbed.LabHost;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * The catalogue of faults that are injected into a lab, each with what shall become of the team.
 * The oracle's verdict is required of every one: no acknowledged line is lost, nobody writes beside
 * the newest epoch, no student is shown anything but what was saved.
 */
sealed interface LabFault permits MachineFault, ProcessFault, ServiceFault {

  /** How long things last. */
  enum Lengths {
    /** As the experiment asks: a minute's outage is a minute. */
    FULL(
        Duration.ofSeconds(60),
        Duration.ofSeconds(30),
        Duration.ofSeconds(10),
        Duration.ofSeconds(30),
        Duration.ofMillis(100),
        Duration.ofSeconds(5)),
    /**
     * As {@link #FULL}, and the operator or the API server is away for ten minutes. The file server
     * is not: a mount that is dead for longer than a minute ends its team's run, rightly.
     */
    LASTING(Duration.ofMinutes(10), FULL),
    /**
     * Long enough to pass each bound that is under test: the detector's (1 s of silence and a round
     * of probes, 3 s for an agent), the API client's (it tries again within seconds), a mount's (8
     * s of silence and two logins that come to nothing in 5 s each).
     */
    BRIEF(
        Duration.ofSeconds(8),
        Duration.ofSeconds(22),
        Duration.ofSeconds(4),
        Duration.ofSeconds(4),
        Duration.ofMillis(150),
        Duration.ofSeconds(3));

    /** Of the operator or the API server. */
    final Duration outage;

    /** Of the file server. */
    final Duration filesOutage;

    /** Of one machine's way to the file server. */
    final Duration cut;

    /** Of all machines. */
    final Duration absence;

    /** For what shall be no fault. */
    final Duration hold;

    /**
     * How a student asks: not more often, as each answer costs a machine about ten processes, and
     * with more patience than a recovery needs. What a dead machine has swallowed is given up
     * before the ingress says after 15 s that nobody answered.
     */
    final StudentWitness.Manner student;

    Lengths(
        Duration outage,
        Duration cut,
        Duration absence,
        Duration hold,
        Duration pause,
        Duration patience) {
      this.outage = outage;
      this.filesOutage = outage;
      this.cut = cut;
      this.absence = absence;
      this.hold = hold;
      this.student = new StudentWitness.Manner(pause, patience);
    }

    Lengths(Duration outage, Lengths others) {
      this.outage = outage;
      this.filesOutage = others.filesOutage;
      this.cut = others.cut;
      this.absence = others.absence;
      this.hold = others.hold;
      this.student = others.student;
    }
  }

  /** Where a fault is injected: into the machine that carries the team. */
  record Scene(Bed bed, LabHost machine, Fault.Target target, Lengths lengths) {

    /** The team goes on for as long as a fault is held that shall be none. */
    void hold() throws InterruptedException {
      Bed.pass(lengths.hold);
    }
  }

  Expectation MOVES_AS_LOST = new Expectation.Moves(Set.of(RecoveryCause.VM_LOST));
  Expectation STAYS = new Expectation.Stays();
  Expectation RETURNS = new Expectation.Returns();
  Expectation NO_FAULT = new Expectation.Unbroken(false);
  Expectation UNNOTICED = new Expectation.Unbroken(true);

  /** The constant's name. */
  String name();

  Expectation expectation();

  /** Why the short matrix leaves it to the long command; empty where it does not. */
  default Optional<String> onlyLong() {
    return Optional.empty();
  }

  /**
   * What the machine's status keeps of it once it is over. Where it is not judged (empty), an agent
   * is started anew by systemd, and it depends on its haste whether we were to be told.
   */
  default Optional<List<FaultCause>> blamed() {
    return Optional.of(List.of());
  }

  /** How many machines besides the team's must be Ready; at most all of them. */
  default int others() {
    return expectation() instanceof Expectation.Moves ? 1 : 0;
  }

  default void prepare(Scene scene) throws InterruptedException {}

  void inject(Scene scene) throws InterruptedException;

  default void meanwhile(Scene scene) throws InterruptedException {}

  /** Can be called after a half injection. */
  default void undo(Scene scene) throws InterruptedException {}

  /** The word for it, in commands and results. */
  default String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** All of them, so ordered that machines are back when they are needed. */
  static List<LabFault> all() {
    return Stream.<LabFault[]>of(
            MachineFault.values(), ProcessFault.values(), ServiceFault.values())
        .flatMap(Arrays::stream)
        .toList();
  }

  /** The fault of a word. */
  static LabFault of(String word) {
    return all().stream()
        .filter(fault -> fault.word().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no fault '%s'; there are %s"
                        .formatted(word, all().stream().map(LabFault::word).toList())));
  }

  /** It as a fault of the experiment. */
  default Fault in(Bed bed, Lengths lengths) {
    return new BedFault(this, bed, lengths);
  }

  /** A fault of the catalogue in a lab. */
  record BedFault(LabFault kind, Bed bed, Lengths lengths) implements Fault {

    @Override
    public String name() {
      return kind.word();
    }

    @Override
    public Expectation expectation() {
      return kind.expectation();
    }

    @Override
    public void prepare(Target target) throws FaultException, InterruptedException {
      done(kind::prepare, target);
    }

    @Override
    public void inject(Target target) throws FaultException, InterruptedException {
      done(kind::inject, target);
    }

    /** What was waited for in vain is a result, and no end of the experiment. */
    @Override
    public void meanwhile(Target target) throws InterruptedException, TimeoutException {
      try {
        kind.meanwhile(scene(target));
      } catch (AssertionError e) {
        TimeoutException inVain = new TimeoutException(e.getMessage().lines().findFirst().get());
        inVain.initCause(e);
        throw inVain;
      }
    }

    @Override
    public void undo(Target target) throws FaultException, InterruptedException {
      done(kind::undo, target);
    }

    private interface Deed {
      void to(Scene scene) throws InterruptedException;
    }

    private void done(Deed deed, Target target) throws FaultException, InterruptedException {
      try {
        deed.to(scene(target));
      } catch (IllegalStateException | AssertionError e) {
        throw new FaultException(kind.word() + ": " + e.getMessage(), e);
      }
    }

    private Scene scene(Target target) {
      return new Scene(bed, bed.machine(target.vm()), target, lengths);
    }
  }
}
