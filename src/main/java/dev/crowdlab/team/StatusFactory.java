package dev.crowdlab.team;

import static dev.crowdlab.core.Conditions.isFalse;
import static dev.crowdlab.core.Conditions.isTrue;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.api.TeamPhase;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.hub.RunReasons;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.route.Routes.Target;
import dev.crowdlab.team.Observed.BoundVm;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Writes conditions and phase: from what was observed, the step that the decision came to, and the
 * problem it met. {@code docs/states.md} is the table that it follows.
 */
final class StatusFactory {

  private final InstantSource clock;

  StatusFactory(InstantSource clock) {
    this.clock = clock;
  }

  /**
   * The status with its conditions, phase and observed generation.
   *
   * @param o what was observed; its team's status is the one to complete
   * @param problem what the step met; null when nothing stands in the way
   */
  LabTeamStatus complete(Observed o, NextStep step, @Nullable Problem problem) {
    LabTeamStatus status = o.status();
    if (step instanceof NextStep.Hold) {
      return withConditions(status, held(o), status.observedGeneration()).toBuilder()
          .phase(phaseWhenHeld(status))
          .build();
    }
    List<Condition> wanted = conditions(o, step, problem);
    LabTeamStatus judged = withConditions(status, wanted, o.generation());
    return judged.toBuilder()
        .observedGeneration(o.generation())
        .phase(phase(o.team().getMetadata().getDeletionTimestamp() != null, judged))
        .build();
  }

  private LabTeamStatus withConditions(
      LabTeamStatus status, List<Condition> wanted, @Nullable Long generation) {
    return status.toBuilder()
        .conditions(Conditions.merge(status.conditions(), wanted, clock, generation))
        .build();
  }

  /** Where the team stands, from its conditions alone. */
  static TeamPhase phase(boolean deleted, LabTeamStatus status) {
    List<Condition> conditions = status.conditions();
    if (deleted) {
      return TeamPhase.TERMINATING;
    }
    if (Conditions.holds(conditions, ConditionType.STALLED)) {
      return TeamPhase.STALLED;
    }
    if (Conditions.hasReason(conditions, ConditionType.READY, Reason.SUSPENDED)
        || Conditions.hasReason(conditions, ConditionType.READY, Reason.EXPIRED)) {
      return TeamPhase.SUSPENDED;
    }
    if (Conditions.holds(conditions, ConditionType.READY)) {
      return TeamPhase.READY;
    }
    if (isMoving(status)) {
      return TeamPhase.RECOVERING;
    }
    return status.binding() != null ? TeamPhase.CREATING : TeamPhase.PENDING;
  }

  private static TeamPhase phaseWhenHeld(LabTeamStatus status) {
    return status.phase() == null ? TeamPhase.PENDING : status.phase();
  }

  /** Whether a fault, not an edit, is why the team is on its way. */
  private static boolean isMoving(LabTeamStatus status) {
    return Timeline.openRecovery(status)
        .map(Recovery::cause)
        .filter(
            cause -> cause != RecoveryCause.SPEC_CHANGED && cause != RecoveryCause.EXERCISE_FAILED)
        .isPresent();
  }

  /** Paused: Ready keeps its status and says so; what was being done is not being done. */
  private static List<Condition> held(Observed o) {
    List<Condition> wanted = new ArrayList<>();
    String message = "the annotation crowdlab.dev/paused stops our hands";
    wanted.add(
        o.ready()
            ? isTrue(ConditionType.READY, Reason.PAUSED, message)
            : isFalse(ConditionType.READY, Reason.PAUSED, message));
    for (Condition condition : o.status().conditions()) {
      switch (condition.getType()) {
        case ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED -> {}
        default -> wanted.add(condition);
      }
    }
    return wanted;
  }

  private List<Condition> conditions(Observed o, NextStep step, @Nullable Problem problem) {
    return switch (step) {
      case NextStep.Remove _ -> deleting(o);
      case NextStep.Unbind(Reason why, _) -> resting(o, why, problem, false);
      case NextStep.Seal(_, Reason why) -> resting(o, why, problem, false);
      case NextStep.Rested(Reason why) -> resting(o, why, problem, true);
      case NextStep.Move _ when isBeingPrepared(o) -> unchanged(o);
      case NextStep.BackOff _ when problem == null && !hasFailed(o) -> unchanged(o);
      case NextStep.Settled _ when o.report().isEmpty() -> unchanged(o);
      case NextStep.Hold _,
          NextStep.Move _,
          NextStep.AwaitApproval _,
          NextStep.AwaitAgent _,
          NextStep.BackOff _,
          NextStep.Fence _,
          NextStep.LearnEpoch _,
          NextStep.Run _,
          NextStep.CountFailure _,
          NextStep.Route _,
          NextStep.ConfirmReady _,
          NextStep.Register _,
          NextStep.Settled _ ->
          working(o, step, problem);
    };
  }

  /** It serves as before, by this spec, while another machine is made ready for it. */
  private static boolean isBeingPrepared(Observed o) {
    return o.ready()
        && o.memory().ahead() != null
        && o.memory().diverted() == null
        && o.binding().filter(bound -> o.digest().equals(bound.exerciseDigest())).isPresent();
  }

  /** Nothing new is known; what another generation says is that it, too, was looked at. */
  private static List<Condition> unchanged(Observed o) {
    if (Conditions.hasReason(o.status().conditions(), ConditionType.READY, Reason.PAUSED)) {
      List<Condition> released = new ArrayList<>();
      for (Condition condition : o.status().conditions()) {
        released.add(
            ConditionType.READY.equals(condition.getType())
                ? (o.ready()
                    ? isTrue(ConditionType.READY, Reason.READY, "the exercise answers at its URL")
                    : isFalse(ConditionType.READY, Reason.PROGRESSING, "the team is on its way"))
                : condition);
      }
      return released;
    }
    return o.status().conditions();
  }

  private static List<Condition> deleting(Observed o) {
    String message = "the team is being removed";
    List<Condition> wanted = new ArrayList<>();
    for (Condition condition : o.status().conditions()) {
      switch (condition.getType()) {
        case ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED -> {}
        default -> wanted.add(condition);
      }
    }
    wanted.add(isFalse(ConditionType.READY, Reason.DELETING, message));
    wanted.add(isTrue(ConditionType.RECONCILING, Reason.DELETING, message));
    return wanted;
  }

  private static List<Condition> resting(
      Observed o, Reason why, @Nullable Problem problem, boolean rests) {
    String message =
        why == Reason.EXPIRED
            ? "the team is older than spec.expiresAfter; its workspace is kept"
            : "spec.suspended; the workspace is kept";
    List<Condition> wanted = new ArrayList<>();
    wanted.add(isFalse(ConditionType.PLACED, why, message));
    if (rests) {
      wanted.add(isFalse(ConditionType.WORKSPACE_ATTACHED, why, message));
    } else if (problem != null && ConditionType.WORKSPACE_ATTACHED.equals(problem.type())) {
      wanted.add(isFalse(problem.type(), problem.reason(), problem.message()));
    } else {
      wanted.add(
          isFalse(ConditionType.WORKSPACE_ATTACHED, Reason.FENCING, "the file server is sealed"));
    }
    boolean runs = o.binding().isPresent() && !rests;
    wanted.add(
        runs
            ? isFalse(ConditionType.EXERCISE_RUNNING, why, "the exercise is being stopped")
            : isFalse(ConditionType.EXERCISE_RUNNING, why, message));
    wanted.add(isFalse(ConditionType.ROUTED, why, "the waiting room says that the team rests"));
    if (rests) {
      wanted.add(isTrue(ConditionType.READY, why, message));
      return wanted;
    }
    wanted.add(isFalse(ConditionType.READY, why, "the exercise is being stopped"));
    wanted.add(
        problem != null && problem.mood() == Problem.Mood.STALLED
            ? isTrue(ConditionType.STALLED, problem.reason(), problem.message())
            : isTrue(ConditionType.RECONCILING, why, "the exercise is being stopped"));
    return wanted;
  }

  private List<Condition> working(Observed o, NextStep step, @Nullable Problem met) {
    Problem problem = met != null ? met : standing(o, step);
    List<Condition> wanted = new ArrayList<>();
    wanted.add(placed(o, problem));
    wanted.add(attached(o, problem));
    wanted.add(running(o, problem));
    wanted.add(routed(o, problem));
    Optional<Condition> first =
        wanted.stream().filter(c -> !Conditions.TRUE.equals(c.getStatus())).findFirst();
    boolean confirmed =
        step instanceof NextStep.Settled
            || step instanceof NextStep.Register
            || step instanceof NextStep.ConfirmReady;
    if (first.isEmpty() && problem == null && confirmed) {
      boolean full =
          Conditions.hasReason(wanted, ConditionType.WORKSPACE_ATTACHED, Reason.WORKSPACE_FULL);
      wanted.add(
          full
              ? isTrue(ConditionType.READY, Reason.WORKSPACE_FULL, "the workspace is full")
              : isTrue(ConditionType.READY, Reason.READY, "the exercise answers at its URL"));
      return wanted;
    }
    Reason reason =
        problem != null
            ? problem.reason()
            : (isMoving(o.status()) ? Reason.RECOVERING : Reason.PROGRESSING);
    String message =
        problem != null
            ? problem.message()
            : first.map(Condition::getMessage).orElse("the team is on its way");
    wanted.add(isFalse(ConditionType.READY, reason, message));
    Problem.Mood mood = problem == null ? Problem.Mood.PASSING : problem.mood();
    switch (mood) {
      case PASSING -> wanted.add(isTrue(ConditionType.RECONCILING, reason, message));
      case STALLED -> wanted.add(isTrue(ConditionType.STALLED, reason, message));
      case BROKEN -> {}
    }
    return wanted;
  }

  /** What stands in the way whatever this pass did: a report says so, or a person must decide. */
  private static @Nullable Problem standing(Observed o, NextStep step) {
    if (step instanceof NextStep.AwaitApproval) {
      return Problem.of(
          Reason.RECOVERY_AWAITS_APPROVAL,
          "the machine failed and spec.recovery.policy is Manual; annotate the team with"
              + " crowdlab.dev/rebind=%s".formatted(o.binding().map(Binding::epoch).orElse(0L)));
    }
    return o.report()
        .filter(report -> report.state() == TeamReport.State.FAILED)
        .map(StatusFactory::failure)
        .orElse(null);
  }

  /** The failure of a run, with the last lines of the containers that ended. */
  private static Problem failure(TeamReport report) {
    Problem problem = Problem.of(RunReasons.failure(report));
    StringBuilder message = new StringBuilder(problem.message());
    report.containers().stream()
        .filter(container -> !container.running() && container.lastLines() != null)
        .filter(container -> !problem.message().contains(container.lastLines()))
        .forEach(
            container ->
                message
                    .append("\n")
                    .append(container.name())
                    .append(": ")
                    .append(container.lastLines()));
    return new Problem(problem.type(), problem.reason(), message.toString(), problem.mood());
  }

  private static Condition placed(Observed o, @Nullable Problem problem) {
    if (problem != null && ConditionType.PLACED.equals(problem.type())) {
      return isFalse(ConditionType.PLACED, problem.reason(), problem.message());
    }
    Optional<Binding> binding = o.binding();
    if (binding.isEmpty()) {
      return isFalse(ConditionType.PLACED, Reason.PROGRESSING, "a machine is being chosen");
    }
    return isTrue(ConditionType.PLACED, Reason.PLACED, "on machine " + binding.get().vm());
  }

  private static Condition attached(Observed o, @Nullable Problem problem) {
    String type = ConditionType.WORKSPACE_ATTACHED;
    if (problem != null && type.equals(problem.type())) {
      return isFalse(type, problem.reason(), problem.message());
    }
    if (o.report().filter(StatusFactory::isAttached).isPresent()) {
      TeamReport report = o.report().get();
      if (RunReasons.code(report).filter(RunFailure.WORKSPACE_FULL::equals).isPresent()) {
        return isTrue(type, Reason.WORKSPACE_FULL, "the workspace is full; writes fail");
      }
      Memory.Proven proven = o.memory().proven();
      boolean unlimited =
          (proven == null || proven.epoch() != report.epoch())
              ? Conditions.hasReason(o.status().conditions(), type, Reason.QUOTA_UNAVAILABLE)
              : !proven.quota();
      return unlimited
          ? isTrue(
              type,
              Reason.QUOTA_UNAVAILABLE,
              "the file server's file system has no quota; the size is not enforced")
          : isTrue(type, Reason.ATTACHED, "mounted on the machine");
    }
    Optional<Condition> kept = kept(o, type);
    if (kept.isPresent()) {
      return kept.get();
    }
    if (o.binding().isEmpty() || !isUsable(o.machine())) {
      return isFalse(type, Reason.WAITING, "the team needs a machine first");
    }
    Memory.Proven proven = o.memory().proven();
    boolean fenced =
        proven != null && proven.epoch() == o.binding().get().epoch() && proven.mount() != null;
    return fenced
        ? isFalse(type, Reason.WAITING, "the machine mounts the workspace")
        : isFalse(type, Reason.FENCING, "the file server is brought to the binding's epoch");
  }

  private static Condition running(Observed o, @Nullable Problem problem) {
    String type = ConditionType.EXERCISE_RUNNING;
    if (problem != null && type.equals(problem.type())) {
      return isFalse(type, problem.reason(), problem.message());
    }
    if (isHealthy(o)) {
      return isTrue(type, Reason.RUNNING, "every container runs");
    }
    Optional<Condition> kept = kept(o, type);
    if (kept.isPresent()) {
      return kept.get();
    }
    return o.report().filter(StatusFactory::isAttached).isPresent()
        ? isFalse(type, Reason.STARTING, "the containers are being started")
        : isFalse(type, Reason.WAITING, "the workspace must be attached first");
  }

  private static Condition routed(Observed o, @Nullable Problem problem) {
    String type = ConditionType.ROUTED;
    if (problem != null && type.equals(problem.type())) {
      return isFalse(type, problem.reason(), problem.message());
    }
    Memory.Routed routed = o.memory().routed();
    return (isHealthy(o) || kept(o, ConditionType.EXERCISE_RUNNING).isPresent())
            && routed != null
            && routed.target() instanceof Target.Exercise
        ? isTrue(type, Reason.ROUTED, "students' connections go to the machine")
        : isFalse(type, Reason.WAITING_ROOM, "students' requests wait until the exercise answers");
  }

  private static boolean hasFailed(Observed o) {
    return o.report().filter(r -> r.state() == TeamReport.State.FAILED).isPresent();
  }

  /** What held when the agent fell silent holds until somebody knows better. */
  private static Optional<Condition> kept(Observed o, String type) {
    boolean silent =
        o.machine() instanceof BoundVm.Known(_, VmHealth health, boolean connected)
            && !connected
            && !(health instanceof VmHealth.Lost);
    return silent && o.ready()
        ? Conditions.find(o.status().conditions(), type)
            .filter(condition -> Conditions.TRUE.equals(condition.getStatus()))
        : Optional.empty();
  }

  private static boolean isHealthy(Observed o) {
    return o.report().filter(r -> r.state() == TeamReport.State.HEALTHY).isPresent();
  }

  private static boolean isUsable(BoundVm machine) {
    return switch (machine) {
      case BoundVm.Unbound _, BoundVm.Missing _ -> false;
      case BoundVm.Known(VmView vm, VmHealth health, _) ->
          !vm.quarantined() && !vm.left() && !(health instanceof VmHealth.Lost);
    };
  }

  static boolean isAttached(TeamReport report) {
    return switch (report.state()) {
      case ATTACHED, STARTING, HEALTHY -> true;
      case PREPARING, ATTACHING, STOPPING, STOPPED -> false;
      case FAILED ->
          RunReasons.code(report)
              .filter(
                  code ->
                      code == RunFailure.CONTAINER_EXITED || code == RunFailure.CONTAINER_REFUSED)
              .isPresent();
    };
  }
}
