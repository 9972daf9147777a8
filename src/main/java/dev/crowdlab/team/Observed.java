package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Times;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * All that a decision is made from.
 *
 * @param digest of the exercise as the spec has it now
 * @param machine the one that the binding names
 * @param report what that machine says of the team, at the binding's epoch
 * @param memory what this process has done already
 */
record Observed(
    Instant now,
    LabTeam team,
    String digest,
    BoundVm machine,
    Optional<TeamReport> report,
    Memory memory) {

  /** The machine that a binding names. */
  sealed interface BoundVm {

    /** There is no binding. */
    record Unbound() implements BoundVm {}

    /** Its ContributedVM is no more, or another one took its name. */
    record Missing() implements BoundVm {}

    /** It is there. */
    record Known(VmView vm, VmHealth health, boolean connected) implements BoundVm {}
  }

  LabTeamStatus status() {
    return team.getStatus();
  }

  long generation() {
    Long generation = team.getMetadata().getGeneration();
    return generation == null ? 0 : generation;
  }

  Optional<Binding> binding() {
    return Optional.ofNullable(status().binding());
  }

  /** The highest epoch that status knows of; 0 when there was none. */
  long highestEpoch() {
    Long highest = status().highestEpoch();
    return Math.max(highest == null ? 0 : highest, binding().map(Binding::epoch).orElse(0L));
  }

  /**
   * Whether a deleted team has been removed for that long. What it waits for gets its whole time
   * also when nobody was there to see the deletion, and from an operator that has just begun.
   */
  boolean removedFor(Duration bound) {
    String deleted = team.getMetadata().getDeletionTimestamp();
    Instant ordered = memory.stopOrdered();
    return deleted != null
        && ordered != null
        && Stream.of(Times.parse(deleted), ordered).noneMatch(at -> now.isBefore(at.plus(bound)));
  }

  boolean ready() {
    return Conditions.holds(status().conditions(), ConditionType.READY);
  }

  /** Since when Ready holds. */
  Optional<Instant> readySince() {
    return Conditions.find(status().conditions(), ConditionType.READY)
        .filter(condition -> Conditions.TRUE.equals(condition.getStatus()))
        .map(condition -> Instant.parse(condition.getLastTransitionTime()));
  }

  boolean hasAnnotation(String key, String value) {
    Map<String, String> annotations = team.getMetadata().getAnnotations();
    return annotations != null && value.equals(annotations.get(key));
  }

  boolean paused() {
    return hasAnnotation(Names.PAUSED, Names.TRUE);
  }
}
