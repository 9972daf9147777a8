package dev.crowdlab.team;

import dev.crowdlab.api.Backoff;
import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.api.RecoveryPolicy;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Times;
import dev.crowdlab.hub.RunReasons;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.hub.VmHealth.AgentFault;
import dev.crowdlab.hub.VmHealth.VmFault;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.route.Routes.Target;
import dev.crowdlab.team.NextStep.Wish;
import dev.crowdlab.team.Observed.BoundVm;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** Chooses the next step for a team: a pure function of what was observed. */
final class Decision {

  private final TeamSettings.Bounds bounds;

  Decision(TeamSettings.Bounds bounds) {
    this.bounds = bounds;
  }

  /** The one next step. */
  NextStep decide(Observed o) {
    if (o.team().getMetadata().getDeletionTimestamp() != null) {
      boolean overdue = o.removedFor(bounds.removal());
      return new NextStep.Remove(
          overdue || o.hasAnnotation(Names.FORCE_DELETE, Names.TRUE), overdue);
    }
    if (o.paused()) {
      return new NextStep.Hold();
    }
    Optional<Reason> rest = rest(o);
    if (rest.isPresent()) {
      return resting(o, rest.get());
    }
    Optional<Binding> binding = o.binding();
    if (binding.isEmpty()) {
      return new NextStep.Move(null, false, Wish.ANY);
    }
    return leaving(o, binding.get()).orElseGet(() -> staying(o, binding.get()));
  }

  /** When the team expires by its spec; empty when it does not. */
  static Optional<Instant> expiry(Observed o) {
    String after = o.team().getSpec().expiresAfter();
    String created = o.team().getMetadata().getCreationTimestamp();
    if (after == null || created == null) {
      return Optional.empty();
    }
    return Optional.of(Times.parse(created).plus(Times.parseDuration(after)));
  }

  private static Optional<Reason> rest(Observed o) {
    LabTeamSpec spec = o.team().getSpec();
    if (spec.suspended()) {
      return Optional.of(Reason.SUSPENDED);
    }
    return expiry(o).filter(at -> !o.now().isBefore(at)).map(at -> Reason.EXPIRED);
  }

  private NextStep resting(Observed o, Reason why) {
    Optional<Binding> binding = o.binding();
    if (binding.isPresent()) {
      return new NextStep.Unbind(why, mustStopFirst(o));
    }
    long epoch = o.highestEpoch();
    if (epoch == 0 || o.memory().proven() != null) {
      return new NextStep.Rested(why);
    }
    if (o.memory().floor() >= epoch) {
      return new NextStep.Unbind(why, false);
    }
    Instant quiet = o.memory().quietUntil();
    if (isAtRest(o) && quiet != null && o.now().isBefore(quiet)) {
      return new NextStep.Rested(why);
    }
    return pending(o, ConditionType.WORKSPACE_ATTACHED)
        .orElseGet(() -> new NextStep.Seal(epoch, why));
  }

  /**
   * Only a proven seal makes WorkspaceAttached say that the team rests. A status that was rolled
   * back says it too: so each process proves it once more.
   */
  static boolean isAtRest(Observed o) {
    return Conditions.hasReason(
            o.status().conditions(), ConditionType.WORKSPACE_ATTACHED, Reason.SUSPENDED)
        || Conditions.hasReason(
            o.status().conditions(), ConditionType.WORKSPACE_ATTACHED, Reason.EXPIRED);
  }

  private Optional<NextStep> leaving(Observed o, Binding binding) {
    String vm = binding.vmUid();
    boolean asked = o.hasAnnotation(Names.REBIND, Long.toString(binding.epoch()));
    boolean stays = o.memory().stays();
    Optional<RecoveryCause> fault = fault(o.machine());
    if (fault.isPresent()) {
      boolean waits =
          o.team().getSpec().recovery().policy() == RecoveryPolicy.MANUAL
              && fault.get() != RecoveryCause.VM_QUARANTINED
              && !asked;
      return Optional.of(
          waits
              ? new NextStep.AwaitApproval(fault.get())
              : new NextStep.Move(fault.get(), false, Wish.leave(vm)));
    }
    if (o.memory().floor() >= binding.epoch()) {
      return Optional.of(new NextStep.Move(null, false, Wish.stay(vm)));
    }
    boolean first = mustStopFirst(o);
    if (asked && !stays) {
      return Optional.of(new NextStep.Move(RecoveryCause.REQUESTED, first, Wish.ratherNot(vm)));
    }
    if (o.ready() && isSilent(o) && !isHopeless(o)) {
      // What would move it in order waits until its agent, which is restarted, can stop it in
      // order.
      return Optional.empty();
    }
    if (binding.exerciseDigest() != null && !binding.exerciseDigest().equals(o.digest())) {
      return Optional.of(new NextStep.Move(RecoveryCause.SPEC_CHANGED, first, Wish.stay(vm)));
    }
    if (o.machine() instanceof BoundVm.Known(VmView view, _, _) && view.leaving() && !stays) {
      RecoveryCause cause = view.deleting() ? RecoveryCause.VM_DELETED : RecoveryCause.VM_DRAINED;
      return Optional.of(new NextStep.Move(cause, first, Wish.leave(vm)));
    }
    if (!o.ready() && isHopeless(o)) {
      return Optional.of(new NextStep.Move(RecoveryCause.EXERCISE_FAILED, false, Wish.leave(vm)));
    }
    return unattended(o).map(cause -> new NextStep.Move(cause, false, Wish.leave(vm)));
  }

  /**
   * Why a team that serves moves all the same: nobody has watched its machine for too long. It has
   * something to lose, so it moves only by itself, and only to a place that there is.
   */
  private Optional<RecoveryCause> unattended(Observed o) {
    if (!o.ready()
        || o.memory().stays()
        || o.team().getSpec().recovery().policy() == RecoveryPolicy.MANUAL
        || !(o.machine() instanceof BoundVm.Known(VmView view, VmHealth health, _))
        // An agent that its owner stopped is not missed: its teams are asked to leave as it is.
        || view.leaving()
        || view.paused()
        || !(health instanceof VmHealth.AgentDown(_, Instant since, AgentFault fault))
        || o.now().isBefore(since.plus(bounds.agentGone()))) {
      return Optional.empty();
    }
    return Optional.of(
        switch (fault) {
          case CRASHED -> RecoveryCause.AGENT_LOST;
          case HUNG -> RecoveryCause.AGENT_HUNG;
        });
  }

  /** When to decide anew about a machine whose agent is down, if nothing else happens before. */
  Optional<Instant> agentAwaitedUntil(Observed o) {
    return o.machine() instanceof BoundVm.Known(_, VmHealth.AgentDown(_, Instant since, _), _)
        ? Stream.of(bounds.agent(), bounds.agentGone())
            .map(since::plus)
            .filter(at -> at.isAfter(o.now()))
            .min(Comparator.naturalOrder())
        : Optional.empty();
  }

  /** What forces the team off its machine at once, if anything does. */
  private static Optional<RecoveryCause> fault(BoundVm machine) {
    return switch (machine) {
      case BoundVm.Unbound _ -> Optional.empty();
      case BoundVm.Missing _ -> Optional.of(RecoveryCause.VM_DELETED);
      case BoundVm.Known(VmView vm, VmHealth health, _) -> {
        if (vm.quarantined()) {
          yield Optional.of(RecoveryCause.VM_QUARANTINED);
        }
        if (vm.left()) {
          // It was waited for long enough, and is another's now.
          yield Optional.of(RecoveryCause.VM_DRAINED);
        }
        yield health instanceof VmHealth.Lost(_, _, VmFault fault)
            ? Optional.of(
                switch (fault) {
                  case SILENT -> RecoveryCause.VM_LOST;
                  case HUNG -> RecoveryCause.VM_HUNG;
                })
            : Optional.empty();
      }
    };
  }

  /** A machine that was chosen, then fell silent before it ran anything, and is not lost either. */
  private boolean isHopeless(Observed o) {
    if (!(o.machine() instanceof BoundVm.Known known)) {
      return false;
    }
    return switch (known.health()) {
      case VmHealth.Conflict _ -> true;
      case VmHealth.AgentDown(_, Instant since, _) -> !o.now().isBefore(since.plus(bounds.agent()));
      case VmHealth.Unwatched _,
          VmHealth.Awaited _,
          VmHealth.Alive _,
          VmHealth.Suspect _,
          VmHealth.Lost _ ->
          false;
    };
  }

  private static boolean isSilent(Observed o) {
    return o.machine() instanceof BoundVm.Known(_, _, boolean connected) && !connected;
  }

  /** Whether the old run can still be ended in order, so that it saves all that it has. */
  private boolean mustStopFirst(Observed o) {
    if (!(o.machine() instanceof BoundVm.Known(_, VmHealth health, boolean connected))
        || health instanceof VmHealth.Lost
        || o.memory().stopped()) {
      return false;
    }
    Instant since = o.memory().stopOrdered();
    // An agent that is away has nothing to be told, unless it comes back while we wait.
    return since == null ? connected : o.now().isBefore(since.plus(bounds.stop()));
  }

  private NextStep staying(Observed o, Binding binding) {
    Optional<TeamReport> report = o.report();
    if (report.isPresent()) {
      switch (report.get().state()) {
        case HEALTHY -> {
          return serving(o, binding);
        }
        case FAILED -> {
          return failed(o, report.get());
        }
        case PREPARING, ATTACHING, ATTACHED, STARTING, STOPPING, STOPPED -> {}
      }
    }
    if (!(o.machine() instanceof BoundVm.Known(_, _, boolean connected)) || !connected) {
      return silent(o, binding);
    }
    Memory.Proven proven = o.memory().proven();
    if (proven == null || proven.epoch() != binding.epoch() || proven.mount() == null) {
      return pending(o, ConditionType.WORKSPACE_ATTACHED).orElseGet(NextStep.Fence::new);
    }
    return pending(o, ConditionType.EXERCISE_RUNNING).orElseGet(() -> new NextStep.Run(proven));
  }

  /** Nobody says that it does not run: an agent's death, or ours, stops no team. */
  private static NextStep silent(Observed o, Binding binding) {
    return o.ready()
        ? reroute(o, binding).orElseGet(NextStep.Settled::new)
        : new NextStep.AwaitAgent();
  }

  /** What is to be done when the route does not lead to the exercise, by this spec. */
  private static Optional<NextStep> reroute(Observed o, Binding binding) {
    Target.Exercise target = target(o, binding);
    Memory.Routed routed = o.memory().routed();
    if (routed != null && routed.target().equals(target) && routed.generation() == o.generation()) {
      return Optional.empty();
    }
    return pending(o, ConditionType.ROUTED).or(() -> Optional.of(new NextStep.Route(target)));
  }

  private NextStep serving(Observed o, Binding binding) {
    Optional<NextStep> reroute = reroute(o, binding);
    if (reroute.isPresent()) {
      return reroute.get();
    }
    if (Timeline.isOpen(o.status()) || !o.ready()) {
      return new NextStep.ConfirmReady();
    }
    Memory.Proven proven = o.memory().proven();
    boolean known =
        o.memory().ordered()
            && proven != null
            && proven.epoch() == binding.epoch()
            && proven.sizeBytes() == Demand.bytes(o.team().getSpec().workspace().size());
    Instant quiet = o.memory().quietUntil();
    return known || (quiet != null && o.now().isBefore(quiet))
        ? new NextStep.Settled()
        : new NextStep.Register();
  }

  /** The machine's address as it was last checked: it may have changed since it was bound. */
  private static Target.Exercise target(Observed o, Binding binding) {
    String address =
        o.machine() instanceof BoundVm.Known(VmView vm, _, _) && vm.address() != null
            ? vm.address()
            : binding.address();
    Integer port = binding.port();
    if (address == null || port == null) {
      throw new IllegalStateException("the binding has no address or port");
    }
    return new Target.Exercise(address, port);
  }

  private NextStep failed(Observed o, TeamReport report) {
    RunFailure code = RunReasons.code(report).orElse(RunFailure.INTERNAL);
    Backoff backoff = o.status().backoff();
    if (backoff == null || backoff.nextAttempt() == null) {
      return new NextStep.CountFailure(report, code);
    }
    Instant next = Times.parse(backoff.nextAttempt());
    if (backoff.generation() == o.generation() && o.now().isBefore(next)) {
      return new NextStep.BackOff(next);
    }
    String vm = o.binding().map(Binding::vmUid).orElse(null);
    return switch (code) {
      case EPOCH_REFUSED -> new NextStep.LearnEpoch();
      case MOUNT_FAILED, CAPACITY_EXCEEDED, HOST_UNFIT ->
          new NextStep.Move(RecoveryCause.EXERCISE_FAILED, false, Wish.ratherNot(vm));
      case MOUNT_LOST -> new NextStep.Move(RecoveryCause.MOUNT_LOST, false, Wish.stay(vm));
      case IMAGE_MISSING,
          CONTAINER_EXITED,
          CONTAINER_REFUSED,
          WORKSPACE_FULL,
          PORT_IN_USE,
          INTERNAL ->
          new NextStep.Move(RecoveryCause.EXERCISE_FAILED, false, Wish.stay(vm));
    };
  }

  /** The backoff of a failed step, when it is this condition's step and its time has not come. */
  private static Optional<NextStep> pending(Observed o, String type) {
    Backoff backoff = o.status().backoff();
    if (backoff == null
        || backoff.nextAttempt() == null
        || backoff.generation() != o.generation()) {
      return Optional.empty();
    }
    boolean failed =
        Conditions.find(o.status().conditions(), type)
            .filter(condition -> Conditions.FALSE.equals(condition.getStatus()))
            .filter(condition -> Problem.isFailure(condition.getReason()))
            .isPresent();
    Instant next = Times.parse(backoff.nextAttempt());
    return failed && o.now().isBefore(next)
        ? Optional.of(new NextStep.BackOff(next))
        : Optional.empty();
  }

  /** How long to wait before the {@code attempts}-th repetition, before jitter. */
  static Duration delay(int attempts, Duration first, Duration most) {
    long factor = 1L << Math.min(20, Math.max(0, attempts - 1));
    Duration delay = first.multipliedBy(factor);
    return delay.compareTo(most) < 0 ? delay : most;
  }
}
