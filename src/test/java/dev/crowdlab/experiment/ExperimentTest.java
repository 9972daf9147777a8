package dev.crowdlab.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.experiment.Experiment.Settings;
import dev.crowdlab.experiment.Fault.FaultException;
import dev.crowdlab.oracle.Breach;
import dev.crowdlab.oracle.Exchange;
import dev.crowdlab.oracle.Exchange.Answer;
import dev.crowdlab.oracle.Exchange.Way;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ExperimentTest {

  private static final Duration BOUND = Duration.ofSeconds(1);
  private static final LabTeamStatus RECOVERED =
      Statuses.ready("bob", 2, Statuses.recovery(RecoveryCause.VM_LOST, "alice", "bob", 2));

  private final FakeCluster cluster = new FakeCluster();
  private final StringWriter said = new StringWriter();
  private final FakeWitness witness = new FakeWitness();
  private Optional<Duration> within = Optional.empty();
  private final List<Results> kept = new ArrayList<>();

  @Test
  void eachRunHasATeamOfItsOwnACreationAndARecovery() throws Exception {
    Results results = run(2, fault(RECOVERED));

    assertThat(cluster.calls)
        .containsExactly(
            "create exp-power-cut-1",
            "inject alice",
            "undo alice",
            "await machines",
            "delete exp-power-cut-1",
            "create exp-power-cut-2",
            "inject alice",
            "undo alice",
            "await machines",
            "delete exp-power-cut-2");
    assertThat(results.samples())
        .extracting(Sample::series)
        .containsExactly("creation", "power-cut", "creation", "power-cut");
    assertThat(results.samples().get(1).detection()).isEqualTo(Duration.ofMillis(1_300));
    assertThat(results.hold()).isTrue();
    assertThat(said.toString())
        .contains("power-cut 1 of 2: alice -> bob in 2.000s, detected after 1.300s");
  }

  @Test
  void aTeamThatDoesNotRecoverIsAResultAndTheNextRunBegins() throws Exception {
    Results results = run(2, fault(Statuses.ready("alice", 1)));

    assertThat(results.hold()).isFalse();
    assertThat(results.outcomes())
        .allSatisfy(
            outcome ->
                assertThat(outcome.unmet())
                    .containsExactly(
                        "exp-power-cut-" + outcome.run() + " is not Ready after epoch 1"));
    assertThat(cluster.calls).filteredOn(call -> call.startsWith("undo")).hasSize(2);
    assertThat(cluster.teams).isEmpty();
  }

  @Test
  void aBrokenPromiseIsToldWhateverTheTimes() throws Exception {
    witness.breaches.add(new Breach(Breach.Kind.LOST_LINE, "'1 a 7.' is not there"));

    Results results = run(1, fault(RECOVERED));

    assertThat(results.hold()).isFalse();
    assertThat(said.toString()).contains("NOT AS EXPECTED", "LOST_LINE: '1 a 7.' is not there");
  }

  @Test
  void requestsThatFailWhenTheFaultIsKnownAreCountedApart() throws Exception {
    witness.exchanges.add(exchange(11_400, Answer.SERVER_ERROR));
    witness.exchanges.add(exchange(11_600, Answer.SERVER_ERROR));
    witness.exchanges.add(exchange(12_000, Answer.RIGHT));

    Results results = run(1, fault(RECOVERED));

    assertThat(results.outcomes().getFirst().failuresAfterDetection()).isEqualTo(1);
    assertThat(results.outcomes().getFirst().student().get(Way.GET).serverErrors()).isEqualTo(2);
    assertThat(results.samples().get(1).answered()).isEqualTo(Duration.ofMillis(2_010));
  }

  @Test
  void aFaultThatCannotBeInjectedIsUndoneAndEndsTheExperiment() throws Exception {
    Fault broken =
        new TestFault(new Expectation.Stays()) {
          @Override
          public void inject(Target target) throws FaultException {
            throw new FaultException("no such machine");
          }
        };

    Results results = run(3, broken);

    assertThat(results.outcomes())
        .singleElement()
        .satisfies(outcome -> assertThat(outcome.unmet()).containsExactly("no such machine"));
    assertThat(results.samples()).extracting(Sample::series).containsExactly("creation");
    assertThat(cluster.calls)
        .containsExactly("create exp-power-cut-1", "undo alice", "delete exp-power-cut-1");
  }

  @Test
  void whenTheTimeIsOverNoFurtherRunBegins() throws Exception {
    within = Optional.of(Duration.ZERO);

    Results results = run(3, fault(RECOVERED));

    assertThat(results.outcomes()).isEmpty();
    assertThat(said.toString()).contains("its time is over");
  }

  @Test
  void whatWasMeasuredIsKeptAfterEachRun() throws Exception {
    run(3, fault(RECOVERED));

    assertThat(kept).extracting(results -> results.outcomes().size()).containsExactly(1, 2, 3);
  }

  @Test
  void aClusterThatDoesNotAnswerAnyMoreEndsTheExperimentAndWhatWasMeasuredStays() throws Exception {
    Fault unreachable =
        new TestFault(new Expectation.Stays()) {
          @Override
          public void inject(Target target) {
            throw new IllegalStateException("no route to the cluster");
          }
        };

    Results results = run(3, unreachable);

    assertThat(results.samples()).extracting(Sample::series).containsExactly("creation");
    assertThat(results.outcomes())
        .singleElement()
        .satisfies(
            outcome -> assertThat(outcome.unmet()).containsExactly("no route to the cluster"));
    assertThat(said.toString()).contains("the experiment ends: no route to the cluster");
  }

  private Results run(int runs, Fault fault) throws Exception {
    return new Experiment(
            cluster,
            team -> witness,
            new Settings(runs, "exp", BOUND, within),
            () -> Statuses.at(10_000),
            new PrintWriter(said),
            kept::add)
        .run(List.of(fault), () -> Map.of("cores", "2"));
  }

  /** A fault after which the team's status is this. */
  private Fault fault(LabTeamStatus after) {
    return new TestFault(new Expectation.Moves(Set.of(RecoveryCause.VM_LOST))) {
      @Override
      public void inject(Target target) {
        cluster.calls.add("inject " + target.vm());
        cluster.teams.put(target.team(), after);
      }
    };
  }

  private abstract class TestFault implements Fault {
    private final Expectation expectation;

    TestFault(Expectation expectation) {
      this.expectation = expectation;
    }

    @Override
    public String name() {
      return "power-cut";
    }

    @Override
    public Expectation expectation() {
      return expectation;
    }

    @Override
    public void undo(Target target) {
      cluster.calls.add("undo " + target.vm());
    }
  }

  private static Exchange exchange(long sent, Answer answer) {
    return new Exchange(Way.GET, Statuses.at(sent), Statuses.at(sent + 10), answer, "");
  }

  private static final class FakeWitness implements Witness {
    private final List<Exchange> exchanges = new ArrayList<>();
    private final List<Breach> breaches = new ArrayList<>();

    @Override
    public Optional<String> awaitWell(Duration bound) {
      return Optional.empty();
    }

    @Override
    public List<Exchange> exchanges(Instant from) {
      return exchanges;
    }

    @Override
    public int writers() {
      return 1;
    }

    @Override
    public List<Breach> breaches() {
      return breaches;
    }

    @Override
    public void close() {}
  }
}
