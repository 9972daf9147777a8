package dev.crowdlab.team;

import static dev.crowdlab.team.Samples.T0;
import static dev.crowdlab.team.Samples.spec;
import static dev.crowdlab.team.Samples.suspended;
import static dev.crowdlab.team.Samples.vm;
import static dev.crowdlab.team.Samples.with;
import static dev.crowdlab.team.Samples.withSpec;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.Backoff;
import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.Creation;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Quarantine;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.api.RecoveryPolicy;
import dev.crowdlab.api.WorkspaceSpec;
import dev.crowdlab.api.Writes;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Times;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.hub.VmHealth.AgentFault;
import dev.crowdlab.hub.VmHealth.Hold;
import dev.crowdlab.hub.VmHealth.VmFault;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent.Mount;
import dev.crowdlab.route.Routes.Target;
import dev.crowdlab.team.NextStep.Wish;
import dev.crowdlab.team.Observed.BoundVm;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The decision, state by state. A case starts from a team that serves, epoch 3 on alice-1. */
class DecisionTest {

  private static final Decision DECISION = new Decision(TeamSettings.Bounds.DEFAULT);
  private static final Duration AGENT_GONE = TeamSettings.Bounds.DEFAULT.agentGone();
  private static final String ALICE = "uid-alice-1";
  private static final VmHealth ALIVE = new VmHealth.Alive(T0, true);
  private static final VmHealth LOST = new VmHealth.Lost(T0, T0, VmFault.SILENT);
  private static final Mount MOUNT =
      new Mount("10.77.0.2", 2222, "e3-x", "/data", "ssh-ed25519 AAAA", false);
  private static final Memory.Proven PROVEN = new Memory.Proven(3, MOUNT, true, 1L << 30);
  private static final Target.Exercise EXERCISE = new Target.Exercise("10.77.1.70", 20_001);

  /** What a case changes. */
  static final class Case {
    LabTeam team = serving();
    BoundVm machine = known(ALIVE, true);
    Optional<TeamReport> report = Optional.of(report(State.HEALTHY, null));
    Memory memory =
        Memory.EMPTY
            .of(team.getStatus())
            .proven(PROVEN)
            .running()
            .routed(new Memory.Routed(EXERCISE, 1, ""));
    Instant now = T0;

    Observed observed() {
      return new Observed(now, team, ExerciseDigest.of(team.getSpec()), machine, report, memory);
    }

    Case status(UnaryOperator<LabTeamStatus> change) {
      team.setStatus(change.apply(team.getStatus()));
      return this;
    }

    Case annotate(String key, String value) {
      team.getMetadata().setAnnotations(Map.of(key, value));
      return this;
    }

    Case on(BoundVm vm) {
      machine = vm;
      return this;
    }

    Case silent(VmHealth health) {
      report = Optional.empty();
      return on(known(health, false));
    }

    Case says(State state, @Nullable RunFailure code) {
      report = Optional.of(report(state, code));
      return this;
    }

    Case saysNothing() {
      report = Optional.empty();
      return this;
    }

    Case remembers(UnaryOperator<Memory> change) {
      memory = change.apply(memory);
      return this;
    }

    Case unready(String type, Reason reason) {
      return status(
          s ->
              s.toBuilder()
                  .conditions(
                      List.of(
                          Conditions.isFalse(type, reason, ""),
                          Conditions.isFalse(ConditionType.READY, reason, "")))
                  .build());
    }

    Case manual() {
      team.setSpec(with(team.getSpec(), RecoveryPolicy.MANUAL));
      return this;
    }

    Case backoff(Duration until, long generation) {
      return status(
          s ->
              s.toBuilder()
                  .backoff(new Backoff(2, Times.format(T0.plus(until)), generation))
                  .build());
    }
  }

  static Stream<Arguments> cases() {
    return Stream.of(
        // nothing to do
        expect("serving", c -> c, new NextStep.Settled()),
        expect(
            "agent died",
            c -> c.silent(new VmHealth.AgentDown(T0, T0, AgentFault.CRASHED)),
            new NextStep.Settled()),
        expect(
            "agent down, not for too long yet",
            c -> at(c.silent(agentDown(AgentFault.CRASHED)), AGENT_GONE.minusMillis(1)),
            new NextStep.Settled()),
        expect(
            "agent down for too long",
            c -> at(c.silent(agentDown(AgentFault.CRASHED)), AGENT_GONE),
            new NextStep.Move(RecoveryCause.AGENT_LOST, false, Wish.leave(ALICE))),
        expect(
            "agent hung, and down for too long",
            c -> at(c.silent(agentDown(AgentFault.HUNG)), AGENT_GONE),
            new NextStep.Move(RecoveryCause.AGENT_HUNG, false, Wish.leave(ALICE))),
        expect(
            "agent down for too long, nowhere to go",
            c ->
                at(c.silent(agentDown(AgentFault.CRASHED)), AGENT_GONE)
                    .remembers(m -> m.stays(true)),
            new NextStep.Settled()),
        expect(
            "agent down for too long under Manual",
            c -> at(c.silent(agentDown(AgentFault.CRASHED)), AGENT_GONE).manual(),
            new NextStep.Settled()),
        expect(
            "agent down for too long under Manual, asked for",
            c ->
                at(c.silent(agentDown(AgentFault.CRASHED)), AGENT_GONE)
                    .manual()
                    .annotate(Names.REBIND, "3"),
            new NextStep.Move(RecoveryCause.REQUESTED, false, Wish.ratherNot(ALICE))),
        expect(
            "agent down for too long on a machine on which our hands are stopped",
            c -> at(c.saysNothing().on(pausedVm()), AGENT_GONE),
            new NextStep.Settled()),
        expect(
            "agent stopped by its owner, for however long",
            c -> at(c.saysNothing().on(leaving(false)), AGENT_GONE),
            new NextStep.Move(RecoveryCause.VM_DRAINED, false, Wish.leave(ALICE))),
        expect(
            "suspected",
            c -> c.silent(new VmHealth.Suspect(T0, T0, Hold.NONE)),
            new NextStep.Settled()),
        expect(
            "operator restarted, no agent yet",
            c -> c.silent(new VmHealth.Awaited(T0)),
            new NextStep.Settled()),
        expect(
            "identity in conflict while serving",
            c -> c.silent(new VmHealth.Conflict(T0)),
            new NextStep.Settled()),
        expect(
            "stale rebind annotation", c -> c.annotate(Names.REBIND, "2"), new NextStep.Settled()),
        expect(
            "force-delete without deletion",
            c -> c.annotate(Names.FORCE_DELETE, "true"),
            new NextStep.Settled()),
        // paused and deleted
        expect(
            "paused",
            c -> c.on(known(LOST, false)).annotate(Names.PAUSED, "true"),
            new NextStep.Hold()),
        expect("deleted", DecisionTest::deleted, new NextStep.Remove(false, false)),
        expect(
            "deleted while paused",
            c -> deleted(c).annotate(Names.PAUSED, "true"),
            new NextStep.Remove(false, false)),
        expect(
            "force-deleted",
            c -> deleted(c).annotate(Names.FORCE_DELETE, "true"),
            new NextStep.Remove(true, false)),
        expect(
            "deleted long ago",
            c -> at(deleted(c), Duration.ofMinutes(2)).remembers(m -> m.stopping(T0)),
            new NextStep.Remove(true, true)),
        expect(
            "deleted long ago, while nobody was there",
            c -> at(deleted(c), Duration.ofMinutes(2)),
            new NextStep.Remove(false, false)),
        // placing
        expect("new", DecisionTest::unbound, new NextStep.Move(null, false, Wish.ANY)),
        // faults
        expect(
            "lost",
            c -> c.silent(LOST),
            new NextStep.Move(RecoveryCause.VM_LOST, false, Wish.leave(ALICE))),
        expect(
            "hung",
            c -> c.silent(new VmHealth.Lost(T0, T0, VmFault.HUNG)),
            new NextStep.Move(RecoveryCause.VM_HUNG, false, Wish.leave(ALICE))),
        expect(
            "suspected while the hub doubts itself",
            c -> c.silent(new VmHealth.Suspect(T0, T0, Hold.STORM)),
            new NextStep.Settled()),
        expect(
            "object gone",
            c -> c.on(new BoundVm.Missing()).saysNothing(),
            new NextStep.Move(RecoveryCause.VM_DELETED, false, Wish.leave(ALICE))),
        expect(
            "quarantined",
            c -> c.on(quarantined()),
            new NextStep.Move(RecoveryCause.VM_QUARANTINED, false, Wish.leave(ALICE))),
        expect(
            "lost under Manual",
            c -> c.silent(LOST).manual(),
            new NextStep.AwaitApproval(RecoveryCause.VM_LOST)),
        expect(
            "lost under Manual, approved",
            c -> c.silent(LOST).manual().annotate(Names.REBIND, "3"),
            new NextStep.Move(RecoveryCause.VM_LOST, false, Wish.leave(ALICE))),
        expect(
            "quarantined under Manual",
            c -> c.on(quarantined()).manual(),
            new NextStep.Move(RecoveryCause.VM_QUARANTINED, false, Wish.leave(ALICE))),
        expect(
            "lost while backing off",
            c ->
                c.silent(LOST)
                    .unready(ConditionType.WORKSPACE_ATTACHED, Reason.FENCE_UNPROVEN)
                    .backoff(Duration.ofHours(1), 1),
            new NextStep.Move(RecoveryCause.VM_LOST, false, Wish.leave(ALICE))),
        // planned
        expect(
            "drained",
            c -> c.on(leaving(true)),
            new NextStep.Move(RecoveryCause.VM_DRAINED, true, Wish.leave(ALICE))),
        expect(
            "drained, stopped",
            c -> c.on(leaving(true)).remembers(Memory::gone),
            new NextStep.Move(RecoveryCause.VM_DRAINED, false, Wish.leave(ALICE))),
        expect(
            "drained, does not stop",
            c -> at(c.on(leaving(true)).remembers(m -> m.stopping(T0)), Duration.ofSeconds(20)),
            new NextStep.Move(RecoveryCause.VM_DRAINED, false, Wish.leave(ALICE))),
        expect(
            "drained, nowhere to go",
            c -> c.on(leaving(true)).remembers(m -> m.stays(true)),
            new NextStep.Settled()),
        expect(
            "drained, agent away", c -> c.saysNothing().on(leaving(false)), new NextStep.Settled()),
        expect(
            "machine being deleted",
            c -> c.on(deletingVm()),
            new NextStep.Move(RecoveryCause.VM_DELETED, true, Wish.leave(ALICE))),
        expect(
            "rebind",
            c -> c.annotate(Names.REBIND, "3"),
            new NextStep.Move(RecoveryCause.REQUESTED, true, Wish.ratherNot(ALICE))),
        expect(
            "exercise edited",
            c -> edited(c, "another:2"),
            new NextStep.Move(RecoveryCause.SPEC_CHANGED, true, Wish.stay(ALICE))),
        expect(
            "exercise edited while lost",
            c -> edited(c.silent(LOST), "another:2"),
            new NextStep.Move(RecoveryCause.VM_LOST, false, Wish.leave(ALICE))),
        expect(
            "file server is ahead",
            c -> c.remembers(m -> m.floor(5)),
            new NextStep.Move(null, false, Wish.stay(ALICE))),
        // rest
        expect("suspended", c -> rest(c), new NextStep.Unbind(Reason.SUSPENDED, true)),
        expect(
            "suspended, stopped",
            c -> rest(c).remembers(Memory::gone),
            new NextStep.Unbind(Reason.SUSPENDED, false)),
        expect(
            "suspended on a lost machine",
            c -> rest(c).silent(LOST),
            new NextStep.Unbind(Reason.SUSPENDED, false)),
        expect(
            "suspended and unbound",
            c -> rest(unbound(c)).status(s -> s.toBuilder().highestEpoch(4L).build()),
            new NextStep.Seal(4, Reason.SUSPENDED)),
        expect(
            "suspended before it ever ran",
            c -> rest(unbound(c)),
            new NextStep.Rested(Reason.SUSPENDED)),
        expect(
            "expired",
            c -> at(expiring(c), Duration.ofHours(2)),
            new NextStep.Unbind(Reason.EXPIRED, true)),
        expect("not expired yet", c -> generation(expiring(c), 1), new NextStep.Settled()),
        // on the way
        expect(
            "bound, not fenced",
            c -> starting(c).remembers(m -> Memory.EMPTY),
            new NextStep.Fence()),
        expect("fenced", c -> starting(c), new NextStep.Run(PROVEN)),
        expect("preparing", c -> starting(c).says(State.PREPARING, null), new NextStep.Run(PROVEN)),
        expect(
            "agent away before it ran",
            c -> starting(c).silent(new VmHealth.AgentDown(T0, T0, AgentFault.CRASHED)),
            new NextStep.AwaitAgent()),
        expect(
            "agent away for too long",
            c ->
                at(
                    starting(c).silent(new VmHealth.AgentDown(T0, T0, AgentFault.CRASHED)),
                    Duration.ofSeconds(60)),
            new NextStep.Move(RecoveryCause.EXERCISE_FAILED, false, Wish.leave(ALICE))),
        expect(
            "identity in conflict before it ran",
            c -> starting(c).silent(new VmHealth.Conflict(T0)),
            new NextStep.Move(RecoveryCause.EXERCISE_FAILED, false, Wish.leave(ALICE))),
        expect(
            "fence unproven a moment ago",
            c ->
                starting(c)
                    .remembers(m -> Memory.EMPTY)
                    .unready(ConditionType.WORKSPACE_ATTACHED, Reason.FENCE_UNPROVEN)
                    .backoff(Duration.ofSeconds(1), 1),
            new NextStep.BackOff(T0.plusSeconds(1))),
        expect(
            "fence unproven, time has come",
            c ->
                starting(c)
                    .remembers(m -> Memory.EMPTY)
                    .unready(ConditionType.WORKSPACE_ATTACHED, Reason.FENCE_UNPROVEN)
                    .backoff(Duration.ZERO, 1),
            new NextStep.Fence()),
        expect(
            "fence unproven, spec edited since",
            c ->
                starting(c)
                    .remembers(m -> Memory.EMPTY)
                    .unready(ConditionType.WORKSPACE_ATTACHED, Reason.FENCE_UNPROVEN)
                    .backoff(Duration.ofSeconds(9), 0),
            new NextStep.Fence()),
        // healthy
        expect(
            "healthy, not routed",
            c -> c.remembers(m -> m.routed(null)),
            new NextStep.Route(EXERCISE)),
        expect(
            "healthy, in the waiting room",
            c ->
                c.remembers(
                    m ->
                        m.routed(
                            new Memory.Routed(
                                new Target.WaitingRoom(dev.crowdlab.route.Routes.Why.RECOVERING),
                                1,
                                ""))),
            new NextStep.Route(EXERCISE)),
        expect("access edited", c -> generation(c, 2), new NextStep.Route(EXERCISE)),
        expect(
            "healthy, routed, not ready",
            c -> c.unready(ConditionType.ROUTED, Reason.WAITING_ROOM),
            new NextStep.ConfirmReady()),
        expect(
            "route refused a moment ago",
            c ->
                c.remembers(m -> m.routed(null))
                    .unready(ConditionType.ROUTED, Reason.HOST_TAKEN)
                    .backoff(Duration.ofSeconds(1), 1),
            new NextStep.BackOff(T0.plusSeconds(1))),
        expect(
            "ready, started by another process",
            c -> c.remembers(m -> Memory.EMPTY.routed(new Memory.Routed(EXERCISE, 1, ""))),
            new NextStep.Register()),
        expect(
            "the same, failed a moment ago",
            c ->
                c.remembers(
                    m ->
                        Memory.EMPTY
                            .routed(new Memory.Routed(EXERCISE, 1, ""))
                            .quietUntil(T0.plusSeconds(1))),
            new NextStep.Settled()),
        // failed
        expect(
            "failed just now",
            c -> c.says(State.FAILED, RunFailure.IMAGE_MISSING),
            new NextStep.CountFailure(
                report(State.FAILED, RunFailure.IMAGE_MISSING), RunFailure.IMAGE_MISSING)),
        expect(
            "failed, backing off",
            c -> c.says(State.FAILED, RunFailure.IMAGE_MISSING).backoff(Duration.ofSeconds(5), 1),
            new NextStep.BackOff(T0.plusSeconds(5))),
        expect(
            "image missing, time has come",
            c -> c.says(State.FAILED, RunFailure.IMAGE_MISSING).backoff(Duration.ZERO, 1),
            new NextStep.Move(RecoveryCause.EXERCISE_FAILED, false, Wish.stay(ALICE))),
        expect(
            "image missing, spec edited since",
            c -> c.says(State.FAILED, RunFailure.IMAGE_MISSING).backoff(Duration.ofSeconds(5), 0),
            new NextStep.Move(RecoveryCause.EXERCISE_FAILED, false, Wish.stay(ALICE))),
        expect(
            "mount failed, time has come",
            c -> c.says(State.FAILED, RunFailure.MOUNT_FAILED).backoff(Duration.ZERO, 1),
            new NextStep.Move(RecoveryCause.EXERCISE_FAILED, false, Wish.ratherNot(ALICE))),
        expect(
            "mount lost, time has come",
            c -> c.says(State.FAILED, RunFailure.MOUNT_LOST).backoff(Duration.ZERO, 1),
            new NextStep.Move(RecoveryCause.MOUNT_LOST, false, Wish.stay(ALICE))),
        expect(
            "epoch refused",
            c -> c.says(State.FAILED, RunFailure.EPOCH_REFUSED).backoff(Duration.ZERO, 1),
            new NextStep.LearnEpoch()),
        expect(
            "unknown code",
            c -> c.says(State.FAILED, null),
            new NextStep.CountFailure(report(State.FAILED, null), RunFailure.INTERNAL)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void decides(UnaryOperator<Case> change, NextStep expected) {
    assertThat(DECISION.decide(change.apply(new Case()).observed())).isEqualTo(expected);
  }

  @Test
  void theDelayDoublesUpToItsBound() {
    Duration first = Duration.ofSeconds(5);
    Duration most = Duration.ofMinutes(5);

    assertThat(Decision.delay(1, first, most)).isEqualTo(Duration.ofSeconds(5));
    assertThat(Decision.delay(3, first, most)).isEqualTo(Duration.ofSeconds(20));
    assertThat(Decision.delay(100, first, most)).isEqualTo(most);
  }

  @Test
  void theDigestIsTheSameWhateverTheOrderOfAMapAndChangesWithWhatNeedsARestart() {
    String digest = ExerciseDigest.of(spec("t1", "a:1"));

    assertThat(ExerciseDigest.of(spec("t1", "a:1"))).isEqualTo(digest);
    assertThat(ExerciseDigest.of(spec("another-host", "a:1"))).isEqualTo(digest);
    assertThat(ExerciseDigest.of(spec("t1", "a:2"))).isNotEqualTo(digest);
    assertThat(ExerciseDigest.of(withWrites(Writes.ASYNCHRONOUS))).isEqualTo(digest);
    assertThat(ExerciseDigest.of(withWrites(Writes.SYNCHRONOUS))).isNotEqualTo(digest);
    // Written down once: another value would restart every team when the operator is updated.
    assertThat(digest)
        .isEqualTo("4369350171745412540de82950f699d0f277d2c6f338c0645c4c20b2ef95b12c");
  }

  private static LabTeamSpec withWrites(Writes writes) {
    return with(spec("t1", "a:1"), new WorkspaceSpec(null, writes));
  }

  private static Arguments expect(String name, UnaryOperator<Case> change, NextStep expected) {
    return Arguments.of(Named.of(name, change), expected);
  }

  private static LabTeam serving() {
    LabTeam team = Samples.team("t1");
    List<Condition> conditions =
        Conditions.merge(
            List.of(),
            List.of(Conditions.isTrue(ConditionType.READY, Reason.READY, "")),
            () -> T0,
            1L);
    team.setStatus(
        LabTeamStatus.EMPTY.toBuilder()
            .conditions(conditions)
            .binding(
                new Binding(
                    "alice-1",
                    ALICE,
                    3,
                    Times.format(T0),
                    EXERCISE.address(),
                    EXERCISE.port(),
                    1,
                    ExerciseDigest.of(team.getSpec())))
            .highestEpoch(3L)
            .creation(new Creation(Times.format(T0), "1.000s", List.of()))
            .build());
    return team;
  }

  private static Case unbound(Case c) {
    c.machine = new BoundVm.Unbound();
    c.report = Optional.empty();
    c.memory = Memory.EMPTY;
    return c.status(s -> s.toBuilder().binding(null).highestEpoch(null).build());
  }

  private static Case starting(Case c) {
    return c.saysNothing().unready(ConditionType.EXERCISE_RUNNING, Reason.WAITING);
  }

  private static Case rest(Case c) {
    c.team.setSpec(suspended(c.team.getSpec(), true, null));
    return c;
  }

  private static Case expiring(Case c) {
    c.team.setSpec(suspended(c.team.getSpec(), false, "2h"));
    return c;
  }

  private static Case edited(Case c, String image) {
    c.team.setSpec(spec("t1", image));
    return c;
  }

  private static Case deleted(Case c) {
    c.team.getMetadata().setDeletionTimestamp(T0.toString());
    return c;
  }

  private static Case generation(Case c, long generation) {
    c.team.getMetadata().setGeneration(generation);
    return c;
  }

  private static Case at(Case c, Duration later) {
    c.now = T0.plus(later);
    return c;
  }

  private static BoundVm known(VmHealth health, boolean connected) {
    return known(vm("alice-1", "Alice", 4), health, connected);
  }

  private static BoundVm known(ContributedVM vm, VmHealth health, boolean connected) {
    vm.setStatus(vm.getStatus().toBuilder().address(EXERCISE.address()).build());
    return new BoundVm.Known(VmView.of(vm), health, connected);
  }

  private static BoundVm leaving(boolean connected) {
    VmHealth health = connected ? ALIVE : new VmHealth.AgentDown(T0, T0, AgentFault.CRASHED);
    return known(withSpec(vm("alice-1", "Alice", 4), true, true), health, connected);
  }

  private static VmHealth agentDown(AgentFault fault) {
    return new VmHealth.AgentDown(T0, T0, fault);
  }

  private static BoundVm pausedVm() {
    ContributedVM vm = vm("alice-1", "Alice", 4);
    vm.getMetadata().setAnnotations(Map.of(Names.PAUSED, Names.TRUE));
    return known(vm, agentDown(AgentFault.CRASHED), false);
  }

  private static BoundVm deletingVm() {
    ContributedVM vm = vm("alice-1", "Alice", 4);
    vm.getMetadata().setDeletionTimestamp(T0.toString());
    return known(vm, ALIVE, true);
  }

  private static BoundVm quarantined() {
    ContributedVM vm = vm("alice-1", "Alice", 4);
    vm.setStatus(vm.getStatus().toBuilder().quarantine(new Quarantine("q1", null, null)).build());
    return known(vm, ALIVE, true);
  }

  private static TeamReport report(State state, @Nullable RunFailure code) {
    return new TeamReport(
        "uid-t1", "lab", "t1", 3, state, code == null ? null : code.name(), null, List.of());
  }
}
