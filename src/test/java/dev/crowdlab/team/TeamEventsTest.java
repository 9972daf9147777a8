package dev.crowdlab.team;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.FakeAgents;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.ToAgent;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What becomes of machines that are to be examined while the API server is slow. */
class TeamEventsTest {

  private static final Duration SOON = Duration.ofSeconds(5);

  private final FakeAgents agents = new FakeAgents(Clock.systemUTC());
  private final SlowTeams teams = new SlowTeams();
  private final StaleRuns staleRuns = new StaleRuns(agents, teams);
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final TeamEvents events = new TeamEvents(teams, staleRuns, _ -> {}, _ -> {}, timer);

  @AfterEach
  void close() {
    teams.gates.values().forEach(CountDownLatch::countDown);
    timer.shutdownNow();
  }

  @Test
  void aMachineDoesNotWaitForAnother() {
    VmRef slow = connected("slow");
    VmRef healthy = connected("healthy");
    teams.holdUp("slow");

    events.examine(slow);
    await().atMost(SOON).until(() -> teams.reads("slow") == 1);
    events.examine(healthy);

    await().atMost(SOON).until(() -> staleRuns.isClean(healthy));
    assertThat(staleRuns.isClean(slow)).isFalse();
    teams.gates.get("slow").countDown();
    await().atMost(SOON).until(() -> staleRuns.isClean(slow));
  }

  @Test
  void newsOfAMachineThatIsBeingExaminedMakesOneMoreExaminationAfterIt() {
    VmRef vm = connected("slow");
    teams.holdUp("slow");
    events.examine(vm);
    await().atMost(SOON).until(() -> teams.reads("slow") == 1);

    for (int i = 0; i < 20; i++) {
      events.examine(vm);
    }
    assertThat(teams.reads("slow")).isEqualTo(1);
    teams.gates.get("slow").countDown();

    await().atMost(SOON).until(() -> teams.reads("slow") == 2);
    await()
        .during(Duration.ofMillis(200))
        .atMost(SOON)
        .until(() -> teams.reads("slow") == 2 && teams.mostAtOnce.get() == 1);
  }

  @Test
  void onlySoManyAskTheApiServerAtOnceAndAllHaveTheirTurn() {
    List<VmRef> machines = IntStream.range(0, 60).mapToObj(i -> connected("m" + i)).toList();
    machines.forEach(vm -> teams.holdUp(vm.name()));

    machines.forEach(events::examine);

    await().atMost(SOON).until(() -> teams.now.get() == 16);
    assertThat(machines).noneMatch(staleRuns::isClean);
    teams.gates.values().forEach(CountDownLatch::countDown);
    await().atMost(SOON).until(() -> machines.stream().allMatch(staleRuns::isClean));
    assertThat(teams.mostAtOnce).hasValueLessThanOrEqualTo(16);
  }

  @Test
  void aMachineThatCouldNotBeExaminedIsExaminedAgain() {
    VmRef vm = connected("slow");
    teams.failures.set(1);

    events.examine(vm);

    await().atMost(SOON).until(() -> staleRuns.isClean(vm));
    assertThat(teams.reads("slow")).isEqualTo(2);
  }

  @Test
  void aRunThatStatusDoesNotKnowIsExaminedAgainAndStoppedOnceStatusSaysThatItIsOver() {
    // given: status was emptied
    teams.knownEpoch = 0;
    VmRef vm = connected("restored");
    events.examine(vm);
    await().atMost(SOON).until(() -> staleRuns.isClean(vm));
    assertThat(agents.sent(vm)).noneMatch(ToAgent.Stop.class::isInstance);

    // when: the team went on elsewhere, and nothing new is heard of this machine
    teams.knownEpoch = 8;

    // then
    await().atMost(SOON).until(() -> !staleRuns.isClean(vm));
    assertThat(agents.sent(vm))
        .filteredOn(ToAgent.Stop.class::isInstance)
        .singleElement()
        .satisfies(stop -> assertThat(((ToAgent.Stop) stop).epoch()).isEqualTo(7));
  }

  @Test
  void howeverMuchAMachineSaysOneExaminationIsDueAtATime() {
    teams.knownEpoch = 0;
    VmRef vm = connected("flapping");
    for (int i = 0; i < 20; i++) {
      events.examine(vm);
      await().atMost(SOON).until(() -> staleRuns.isClean(vm));
    }

    int before = teams.reads("flapping");

    // One chain asks after 2 s, then after ever longer times; twenty would have asked 40 times.
    await()
        .during(Duration.ofMillis(4_500))
        .atMost(Duration.ofSeconds(10))
        .until(() -> teams.reads("flapping") <= before + 4);
  }

  /** A machine that runs one team, of its own name, which is to be read. */
  private VmRef connected(String name) {
    VmRef vm = new VmRef("lab", name, "uid-" + name);
    agents.connect(
        vm,
        List.of(
            new TeamReport(
                "uid-team-" + name,
                "lab",
                name,
                7,
                TeamReport.State.HEALTHY,
                null,
                null,
                List.of())));
    return vm;
  }

  /** An API server that answers when the test lets it: with a team that is bound to its machine. */
  private static final class SlowTeams implements Teams {
    private volatile long knownEpoch = 7;
    private final Map<String, CountDownLatch> gates = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> reads = new ConcurrentHashMap<>();
    private final AtomicInteger now = new AtomicInteger();
    private final AtomicInteger mostAtOnce = new AtomicInteger();
    private final AtomicInteger failures = new AtomicInteger();

    private void holdUp(String name) {
      gates.put(name, new CountDownLatch(1));
    }

    private int reads(String name) {
      AtomicInteger count = reads.get(name);
      return count == null ? 0 : count.get();
    }

    @Override
    public Optional<LabTeam> live(String namespace, String name) {
      int others = now.incrementAndGet();
      mostAtOnce.accumulateAndGet(others, Math::max);
      reads.computeIfAbsent(name, _ -> new AtomicInteger()).incrementAndGet();
      try {
        CountDownLatch gate = gates.get(name);
        if (gate != null) {
          gate.await();
        }
        if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
          throw new KubernetesClientException("no answer");
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      } finally {
        now.decrementAndGet();
      }
      LabTeam team = Samples.team(name);
      team.getMetadata().setUid("uid-team-" + name);
      if (knownEpoch > 0) {
        team.setStatus(
            team.getStatus().toBuilder()
                .binding(new Binding(name, "uid-" + name, knownEpoch, null, null, null, 1, null))
                .build());
      }
      return Optional.of(team);
    }

    @Override
    public List<LabTeam> listLive() {
      return List.of();
    }

    @Override
    public Written write(LabTeam team) {
      return new Gone();
    }

    @Override
    public List<LabTeam> cached(String namespace) {
      return List.of();
    }

    @Override
    public List<LabTeam> cached() {
      return List.of();
    }

    @Override
    public List<TeamRef> boundTo(String vmUid) {
      return List.of();
    }

    @Override
    public List<TeamRef> pullingWith(String namespace, String secret) {
      return List.of();
    }
  }
}
