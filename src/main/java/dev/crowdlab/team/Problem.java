package dev.crowdlab.team;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What keeps a team from being Ready, as its conditions say it; {@code docs/states.md} has the
 * table.
 *
 * @param type the condition that does not hold because of it
 * @param mood what automation shall make of it
 */
record Problem(String type, Reason reason, String message, Mood mood) {

  /** What automation makes of a problem. */
  enum Mood {
    /** It is expected to end by itself: Reconciling. */
    PASSING,
    /** A person must act: Stalled. */
    STALLED,
    /** It may mend itself, but nobody can say when: neither. */
    BROKEN
  }

  static Problem of(Outcome.Failure failure) {
    return of(failure.reason(), failure.message());
  }

  static Problem of(Reason reason, String message) {
    return switch (reason) {
      case NO_CAPACITY, NO_MATCHING_VM ->
          new Problem(ConditionType.PLACED, reason, message, Mood.PASSING);
      case RECOVERY_AWAITS_APPROVAL ->
          new Problem(ConditionType.PLACED, reason, message, Mood.STALLED);
      case FILE_SERVER_NOT_CONFIGURED ->
          new Problem(ConditionType.WORKSPACE_ATTACHED, reason, message, Mood.STALLED);
      case FILE_SERVER_UNAVAILABLE, FENCE_UNPROVEN, FENCING, MOUNT_FAILED ->
          new Problem(ConditionType.WORKSPACE_ATTACHED, reason, message, Mood.PASSING);
      case IMAGE_PULL_FAILED, CONTAINER_EXITED, CONTAINER_FAILED ->
          new Problem(ConditionType.EXERCISE_RUNNING, reason, message, Mood.BROKEN);
      case SECRET_INVALID ->
          new Problem(ConditionType.EXERCISE_RUNNING, reason, message, Mood.STALLED);
      case SOURCES_NOT_CONFIGURED, HOST_TAKEN, ANNOTATION_NOT_ALLOWED ->
          new Problem(ConditionType.ROUTED, reason, message, Mood.STALLED);
      case ROUTE_FAILED -> new Problem(ConditionType.ROUTED, reason, message, Mood.PASSING);
      default -> new Problem(ConditionType.EXERCISE_RUNNING, reason, message, Mood.PASSING);
    };
  }

  /** Whether a condition's reason tells of something that was tried and failed. */
  static boolean isFailure(@Nullable String reason) {
    Optional<Reason> known =
        Arrays.stream(Reason.values()).filter(r -> r.value().equals(reason)).findFirst();
    return known.isPresent()
        && switch (known.get()) {
          case PROGRESSING,
              WAITING,
              FENCING,
              STARTING,
              WAITING_ROOM,
              RECOVERING,
              SUSPENDED,
              EXPIRED,
              PAUSED,
              DELETING,
              NO_CAPACITY,
              NO_MATCHING_VM,
              RECOVERY_AWAITS_APPROVAL ->
              false;
          default -> true;
        };
  }
}
