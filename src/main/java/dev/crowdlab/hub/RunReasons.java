package dev.crowdlab.hub;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure.Kind;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.RunFailure;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Turns an agent's word for a failed run into a condition's reason. */
public final class RunReasons {

  private RunReasons() {}

  /** The code of a report, when it is one that we know. */
  public static Optional<RunFailure> code(TeamReport report) {
    return code(report.code());
  }

  private static Optional<RunFailure> code(@Nullable String code) {
    for (RunFailure failure : RunFailure.values()) {
      if (failure.name().equals(code)) {
        return Optional.of(failure);
      }
    }
    return Optional.empty();
  }

  /** The failure that a failed report stands for; an unknown code is an internal error. */
  public static Outcome.Failure failure(TeamReport report) {
    return failure(report.code(), report.message());
  }

  static Outcome.Failure failure(@Nullable String said, @Nullable String message) {
    RunFailure code = code(said).orElse(RunFailure.INTERNAL);
    return new Outcome.Failure(kind(code), reason(code), message(code, message));
  }

  static Reason reason(RunFailure code) {
    return switch (code) {
      case IMAGE_MISSING -> Reason.IMAGE_PULL_FAILED;
      case CONTAINER_EXITED -> Reason.CONTAINER_EXITED;
      case CONTAINER_REFUSED, PORT_IN_USE -> Reason.CONTAINER_FAILED;
      case EPOCH_REFUSED, MOUNT_FAILED, MOUNT_LOST -> Reason.MOUNT_FAILED;
      case WORKSPACE_FULL -> Reason.WORKSPACE_FULL;
      case CAPACITY_EXCEEDED -> Reason.NO_CAPACITY;
      case HOST_UNFIT -> Reason.CONFIGURATION_FAILED;
      case INTERNAL -> Reason.INTERNAL_ERROR;
    };
  }

  /**
   * Terminal is what the team's spec must change for, or another epoch; what the VM, a registry or
   * the file server may mend by itself is transient.
   */
  private static Kind kind(RunFailure code) {
    return switch (code) {
      case EPOCH_REFUSED, CAPACITY_EXCEEDED, PORT_IN_USE, HOST_UNFIT, CONTAINER_REFUSED ->
          Kind.TERMINAL;
      case IMAGE_MISSING, CONTAINER_EXITED, MOUNT_FAILED, MOUNT_LOST, WORKSPACE_FULL, INTERNAL ->
          Kind.TRANSIENT;
    };
  }

  private static String message(RunFailure code, @Nullable String message) {
    if (message != null && !message.isBlank()) {
      return message;
    }
    return switch (code) {
      case IMAGE_MISSING -> "an image is neither on the machine nor could it be pulled";
      case CONTAINER_EXITED -> "a container ended";
      case CONTAINER_REFUSED -> "a container could not be started";
      case EPOCH_REFUSED -> "the file server refused the epoch";
      case MOUNT_FAILED -> "the workspace could not be mounted";
      case MOUNT_LOST -> "the workspace's mount died";
      case WORKSPACE_FULL -> "the workspace is full";
      case CAPACITY_EXCEEDED -> "the team would exceed what the machine lends";
      case PORT_IN_USE -> "another process of the machine holds the published port";
      case HOST_UNFIT -> "the machine lacks what the run needs";
      case INTERNAL -> "the agent failed";
    };
  }
}
