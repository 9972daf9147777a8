package dev.crowdlab.team;

import dev.crowdlab.api.Creation;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.api.StepTime;
import dev.crowdlab.api.TeamStep;
import dev.crowdlab.core.Times;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The times in a status: of the creation, and of the recoveries after it. What goes on is the
 * creation until the team was Ready once, then the newest recovery while it has no duration. All
 * functions are pure.
 */
final class Timeline {

  /** The recoveries that a status keeps. */
  static final int KEPT = 10;

  private Timeline() {}

  /** Whether a creation or a recovery goes on. */
  static boolean isOpen(LabTeamStatus status) {
    return isBeingCreated(status) || openRecovery(status).isPresent();
  }

  static boolean isBeingCreated(LabTeamStatus status) {
    Creation creation = status.creation();
    return creation == null || creation.duration() == null;
  }

  static Optional<Recovery> openRecovery(LabTeamStatus status) {
    return status.recoveries().stream().findFirst().filter(r -> r.duration() == null);
  }

  /** The team was seen for the first time. */
  static LabTeamStatus seen(LabTeamStatus status, Instant now) {
    if (status.creation() != null) {
      return status;
    }
    return status.toBuilder()
        .creation(
            new Creation(
                Times.format(now),
                null,
                List.of(new StepTime(TeamStep.DETECTED, Times.format(now)))))
        .build();
  }

  /**
   * The team must move. While one recovery goes on, another fault belongs to it: it ends when the
   * team is Ready again.
   *
   * @param lastSeenAlive the machine's last sign of life, when it was lost
   * @param detected when the fault was established
   */
  static LabTeamStatus moving(
      LabTeamStatus status,
      RecoveryCause cause,
      @Nullable String from,
      @Nullable Instant lastSeenAlive,
      Instant detected) {
    if (isOpen(status)) {
      return status;
    }
    List<Recovery> recoveries = new ArrayList<>();
    recoveries.add(
        new Recovery(
            cause,
            from,
            null,
            null,
            lastSeenAlive == null ? null : Times.format(lastSeenAlive),
            Times.format(detected),
            List.of(new StepTime(TeamStep.DETECTED, Times.format(detected))),
            null));
    status.recoveries().stream().limit(KEPT - 1).forEach(recoveries::add);
    Integer count = status.recoveryCount();
    return status.toBuilder()
        .recoveries(recoveries)
        .recoveryCount((count == null ? 0 : count) + 1)
        .build();
  }

  /** A machine was chosen: what followed an earlier choice does not count. */
  static LabTeamStatus chosen(LabTeamStatus status, String to, long epoch, Instant now) {
    StepTime chosen = new StepTime(TeamStep.CHOSEN, Times.format(now));
    Creation creation = status.creation();
    if (creation != null && isBeingCreated(status)) {
      return status.toBuilder()
          .creation(new Creation(creation.firstSeen(), null, restarted(creation.steps(), chosen)))
          .build();
    }
    return openRecovery(status)
        .map(
            open ->
                replaced(
                    status,
                    new Recovery(
                        open.cause(),
                        open.from(),
                        to,
                        epoch,
                        open.lastSeenAlive(),
                        open.detectedAt(),
                        restarted(open.steps(), chosen),
                        null)))
        .orElse(status);
  }

  /** A step was done; the first time counts. */
  static LabTeamStatus reached(LabTeamStatus status, TeamStep step, Instant now) {
    StepTime time = new StepTime(step, Times.format(now));
    Creation creation = status.creation();
    if (creation != null && isBeingCreated(status)) {
      return status.toBuilder()
          .creation(new Creation(creation.firstSeen(), null, added(creation.steps(), time)))
          .build();
    }
    return openRecovery(status)
        .map(open -> replaced(status, with(open, added(open.steps(), time), null)))
        .orElse(status);
  }

  /** The team is Ready: what went on has ended. */
  static LabTeamStatus ready(LabTeamStatus status, @Nullable String vm, Instant now) {
    Creation creation = status.creation();
    if (creation != null && isBeingCreated(status)) {
      Instant since = creation.firstSeen() == null ? now : Times.parse(creation.firstSeen());
      return status.toBuilder()
          .creation(
              new Creation(
                  creation.firstSeen(),
                  Times.formatDuration(Duration.between(since, now)),
                  creation.steps()))
          .build();
    }
    return openRecovery(status).map(open -> replaced(status, ended(open, vm, now))).orElse(status);
  }

  private static Recovery ended(Recovery open, @Nullable String vm, Instant now) {
    String start = open.lastSeenAlive() != null ? open.lastSeenAlive() : open.detectedAt();
    Instant since = start == null ? now : Times.parse(start);
    return new Recovery(
        open.cause(),
        open.from(),
        open.to() != null ? open.to() : vm,
        open.epoch(),
        open.lastSeenAlive(),
        open.detectedAt(),
        open.steps(),
        Times.formatDuration(Duration.between(since, now)));
  }

  private static Recovery with(Recovery recovery, List<StepTime> steps, @Nullable String duration) {
    return new Recovery(
        recovery.cause(),
        recovery.from(),
        recovery.to(),
        recovery.epoch(),
        recovery.lastSeenAlive(),
        recovery.detectedAt(),
        steps,
        duration);
  }

  private static LabTeamStatus replaced(LabTeamStatus status, Recovery newest) {
    List<Recovery> recoveries = new ArrayList<>(status.recoveries());
    recoveries.set(0, newest);
    return status.toBuilder().recoveries(recoveries).build();
  }

  private static List<StepTime> restarted(List<StepTime> steps, StepTime chosen) {
    List<StepTime> kept = new ArrayList<>();
    steps.stream().filter(step -> step.name() == TeamStep.DETECTED).forEach(kept::add);
    kept.add(chosen);
    return kept;
  }

  private static List<StepTime> added(List<StepTime> steps, StepTime time) {
    if (steps.stream().anyMatch(step -> step.name() == time.name())) {
      return steps;
    }
    List<StepTime> more = new ArrayList<>(steps);
    more.add(time);
    return more;
  }
}
