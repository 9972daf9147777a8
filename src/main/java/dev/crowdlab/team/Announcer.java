package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.EventRecorder;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Tells people, by events, of the transitions between two statuses that they would want to read.
 */
final class Announcer {

  private static final List<String> TOLD =
      List.of(
          ConditionType.PLACED,
          ConditionType.WORKSPACE_ATTACHED,
          ConditionType.EXERCISE_RUNNING,
          ConditionType.ROUTED);

  private final EventRecorder events;

  Announcer(EventRecorder events) {
    this.events = events;
  }

  /** Tells what changed from {@code before} to what {@code team} has now. */
  void announce(LabTeamStatus before, LabTeam team) {
    LabTeamStatus now = team.getStatus();
    Optional<Recovery> open = Timeline.openRecovery(now);
    if (open.isPresent() && !recoveries(now).equals(recoveries(before))) {
      events.warning(
          team,
          Reason.RECOVERING,
          "leaving %s: %s (recovery %s)"
              .formatted(open.get().from(), open.get().cause(), recoveries(now)));
    }
    Binding binding = now.binding();
    if (binding != null && epoch(before) != binding.epoch()) {
      events.normal(
          team, Reason.PLACED, "bound to %s, epoch %d".formatted(binding.vm(), binding.epoch()));
    }
    for (String type : TOLD) {
      Conditions.find(now.conditions(), type)
          .filter(condition -> isNews(before, condition))
          .filter(Announcer::isWorthTelling)
          .ifPresent(condition -> events.warning(team, reason(condition), condition.getMessage()));
    }
    Conditions.find(now.conditions(), ConditionType.READY)
        .filter(condition -> isNews(before, condition))
        .filter(condition -> Conditions.TRUE.equals(condition.getStatus()))
        .ifPresent(condition -> events.normal(team, reason(condition), ready(now, condition)));
  }

  private static String ready(LabTeamStatus status, Condition condition) {
    Binding binding = status.binding();
    return binding == null
        ? condition.getMessage()
        : "%s, on %s, epoch %d".formatted(condition.getMessage(), binding.vm(), binding.epoch());
  }

  private static boolean isWorthTelling(Condition condition) {
    Reason reason = reason(condition);
    return Conditions.FALSE.equals(condition.getStatus())
        && (Problem.isFailure(condition.getReason())
            || reason == Reason.NO_CAPACITY
            || reason == Reason.NO_MATCHING_VM
            || reason == Reason.RECOVERY_AWAITS_APPROVAL);
  }

  private static boolean isNews(LabTeamStatus before, Condition condition) {
    return Conditions.find(before.conditions(), condition.getType())
        .filter(old -> old.getStatus().equals(condition.getStatus()))
        .filter(old -> Objects.equals(old.getReason(), condition.getReason()))
        .isEmpty();
  }

  private static Reason reason(Condition condition) {
    return Arrays.stream(Reason.values())
        .filter(reason -> reason.value().equals(condition.getReason()))
        .findFirst()
        .orElse(Reason.INTERNAL_ERROR);
  }

  private static Integer recoveries(LabTeamStatus status) {
    return status.recoveryCount() == null ? 0 : status.recoveryCount();
  }

  private static long epoch(LabTeamStatus status) {
    return status.binding() == null ? 0 : status.binding().epoch();
  }
}
