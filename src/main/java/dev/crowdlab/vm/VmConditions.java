package dev.crowdlab.vm;

import static dev.crowdlab.core.Conditions.find;
import static dev.crowdlab.core.Conditions.hasReason;
import static dev.crowdlab.core.Conditions.holds;
import static dev.crowdlab.core.Conditions.isFalse;
import static dev.crowdlab.core.Conditions.isTrue;
import static dev.crowdlab.core.Conditions.isUnknown;

import dev.crowdlab.api.Backoff;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.FaultCause;
import dev.crowdlab.api.Quarantine;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.Reputation;
import dev.crowdlab.api.VmPhase;
import dev.crowdlab.api.Voice;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Times;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.hub.VmHealth.AgentFault;
import dev.crowdlab.hub.VmHealth.VmFault;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The conditions and the phase of a machine: a pure function of what is observed and of what the
 * last attempts found.
 */
final class VmConditions {

  /** Where a person must act, besides a refused login; docs/states.md has a row for each. */
  private static final Set<Reason> STALLED =
      EnumSet.of(
          Reason.DUPLICATE_MACHINE,
          Reason.UNSUPPORTED_SYSTEM,
          Reason.QUARANTINED,
          Reason.IDENTITY_CONFLICT,
          Reason.INVALID_TIME_ZONE,
          Reason.DISK_READ_ONLY,
          Reason.LEFT);

  private static final String STOPPED_BY_OWNER =
      "Its owner stopped the agent, or the machine, in order, and starts it again";

  /** Of the teams that are waited for. */
  private static final int MOST_NAMED = 10;

  /** Nobody tells when a name leads elsewhere, or an address leaves the cluster. */
  private static final Duration ADDRESS_INTERVAL = Duration.ofSeconds(3);

  private static final Condition NOT_YET_REACHED =
      isUnknown(ConditionType.REACHABLE, Reason.PROGRESSING, "No connection was tried yet");

  private final VmView view;
  private final @Nullable Reputation reputation;

  /**
   * @param reputation what the machine's past says of it by now
   */
  VmConditions(VmView view, @Nullable Reputation reputation) {
    this.view = view;
    this.reputation = reputation;
  }

  private static boolean isStalled(Reason reason) {
    return Reasons.isRefusal(reason) || STALLED.contains(reason);
  }

  /** All conditions for a status, without times: {@code Conditions.merge} adds them. */
  List<Condition> all() {
    List<Condition> wanted = new ArrayList<>();
    wanted.add(reachable());
    wanted.add(kept(ConditionType.VERIFIED));
    wanted.add(
        Voices.hasLeft(view.voice())
            ? left(ConditionType.CONFIGURED)
            : kept(ConditionType.CONFIGURED));
    wanted.add(agentConnected());
    Condition ready = view.paused() && !view.deleting() ? paused() : ready(wanted);
    wanted.add(ready);
    Quarantine quarantine = view.status().quarantine();
    if (quarantine != null) {
      wanted.add(
          isTrue(
              ConditionType.QUARANTINED,
              Reason.POLICY_VIOLATED,
              "Look at status.integrity.findings; to release the machine, set the annotation"
                  + " crowdlab.dev/release="
                  + quarantine.id()));
    }
    if (leaving()) {
      wanted.add(drained());
    } else if (view.paused()) {
      find(view.status().conditions(), ConditionType.DRAINED).ifPresent(wanted::add);
    }
    wanted.addAll(progress(ready));
    return wanted;
  }

  private Condition drained() {
    List<String> remaining = view.remaining();
    if (!remaining.isEmpty()) {
      String named =
          String.join(", ", remaining.subList(0, Math.min(MOST_NAMED, remaining.size())));
      int others = remaining.size() - MOST_NAMED;
      return isFalse(
          ConditionType.DRAINED,
          Reason.DRAINING,
          "Waiting for %s%s to leave"
              .formatted(named, others > 0 ? " and %d others".formatted(others) : ""));
    }
    return isTrue(ConditionType.DRAINED, whyDrained(), "No team is left");
  }

  /** Whose wish it is: the spec's first, then the contributor's. */
  private Reason whyDrained() {
    Voice voice = view.voice();
    if (view.vm().getSpec().drain() || view.deleting()) {
      return Reason.DRAINED;
    }
    if (voice != null) {
      return switch (voice.wish()) {
        case PAUSE -> Reason.CONTRIBUTOR_PAUSED;
        case LEAVE -> voice.hasLeft() ? Reason.LEFT : Reason.LEAVING;
        case STOP -> Reason.STOPPED;
      };
    }
    return view.availability() instanceof Availability.NotLent
        ? Reason.OUTSIDE_WINDOW
        : Reason.DRAINED;
  }

  private static Condition left(String type) {
    return isFalse(type, Reason.LEFT, "Nothing of ours is on the machine");
  }

  /**
   * At work, stuck, or neither: somebody holds our hands, or it may mend itself and nobody knows
   * when.
   */
  private List<Condition> progress(Condition ready) {
    Reason reason = Reasons.of(ready);
    if (view.deleting()) {
      return List.of(isTrue(ConditionType.RECONCILING, Reason.DELETING, ready.getMessage()));
    }
    if (view.paused()
        || Reasons.isLoss(reason)
        || reason == Reason.STOPPED
        || reason == Reason.DISK_FULL) {
      return List.of();
    }
    if (Conditions.TRUE.equals(ready.getStatus())) {
      return reason == Reason.DRAINING
          ? List.of(isTrue(ConditionType.RECONCILING, Reason.DRAINING, "Teams are leaving"))
          : List.of();
    }
    return isStalled(reason)
        ? List.of(isTrue(ConditionType.STALLED, reason, ready.getMessage()))
        : List.of(isTrue(ConditionType.RECONCILING, reason, ready.getMessage()));
  }

  /** Whether teams shall leave: what the team's reconciler acts on too. */
  boolean leaving() {
    if (view.paused()) {
      return view.deleting();
    }
    return view.deleting()
        || view.vm().getSpec().drain()
        || view.status().quarantine() != null
        || view.voice() != null
        || !(view.availability() instanceof Availability.Lent);
  }

  /** For people; derived from nothing but the conditions and what is asked for. */
  VmPhase phase(List<Condition> conditions) {
    if (view.deleting()) {
      return VmPhase.TERMINATING;
    }
    if (view.paused()) {
      return view.status().phase() == null ? VmPhase.PENDING : view.status().phase();
    }
    if (Voices.hasLeft(view.voice())) {
      return VmPhase.LEFT;
    }
    if (holds(conditions, ConditionType.QUARANTINED)) {
      return VmPhase.QUARANTINED;
    }
    if (Voices.isLeaving(view.voice())) {
      return VmPhase.DRAINING;
    }
    if (holds(conditions, ConditionType.STALLED)) {
      return VmPhase.STALLED;
    }
    if (hasReason(conditions, ConditionType.READY, Reason.STOPPED)) {
      return VmPhase.STOPPED;
    }
    Reason reachable =
        find(conditions, ConditionType.REACHABLE).map(Reasons::of).orElse(Reason.WAITING);
    return switch (reachable) {
      case SECRET_NOT_FOUND -> VmPhase.PENDING;
      case VM_LOST, VM_HUNG, UNREACHABLE, HOST_NOT_RESOLVED -> VmPhase.UNREACHABLE;
      default -> phaseOfReached(conditions);
    };
  }

  private static VmPhase phaseOfReached(List<Condition> conditions) {
    if (holds(conditions, ConditionType.DRAINED)) {
      return VmPhase.DRAINED;
    }
    if (find(conditions, ConditionType.DRAINED).isPresent()) {
      return VmPhase.DRAINING;
    }
    if (holds(conditions, ConditionType.READY)) {
      return VmPhase.READY;
    }
    if (hasReason(conditions, ConditionType.READY, Reason.DISK_FULL)) {
      return VmPhase.DISK_FULL;
    }
    if (!holds(conditions, ConditionType.REACHABLE)) {
      return VmPhase.CONNECTING;
    }
    if (!holds(conditions, ConditionType.CONFIGURED)) {
      return holds(conditions, ConditionType.VERIFIED) ? VmPhase.CONFIGURING : VmPhase.VERIFYING;
    }
    return VmPhase.ENROLLING;
  }

  private Condition reachable() {
    if (view.olderTwin().isPresent()) {
      return isFalse(
          ConditionType.REACHABLE,
          Reason.DUPLICATE_MACHINE,
          "This is the machine of the older ContributedVM "
              + view.olderTwin().get()
              + "; delete one of them, or correct spec.ssh");
    }
    if (view.target() instanceof Outcome.Failed<?>(Outcome.Failure failure)) {
      return isFalse(ConditionType.REACHABLE, failure.reason(), failure.message());
    }
    if (view.health() instanceof VmHealth.Lost(_, _, VmFault fault)) {
      return view.stopped()
          ? isFalse(ConditionType.REACHABLE, Reason.STOPPED, STOPPED_BY_OWNER)
          : lost(ConditionType.REACHABLE, fault);
    }
    Condition before =
        find(view.status().conditions(), ConditionType.REACHABLE).orElse(NOT_YET_REACHED);
    Reason reason = Reasons.of(before);
    if (view.session().isPresent() && (Reasons.isLoss(reason) || reason == Reason.STOPPED)) {
      return isTrue(ConditionType.REACHABLE, Reason.CONNECTED, "The agent is back");
    }
    if (view.health() instanceof VmHealth.Alive(_, boolean sshdAnswers)
        && Conditions.TRUE.equals(before.getStatus())
        && sshdAnswers == (reason == Reason.SSHD_SILENT)) {
      return sshdAnswers
          ? isTrue(ConditionType.REACHABLE, Reason.CONNECTED, "sshd answers again")
          : isTrue(
              ConditionType.REACHABLE,
              Reason.SSHD_SILENT,
              "The agent is well; sshd does not answer, so nobody can log in");
    }
    return before;
  }

  private static Condition lost(String type, VmFault fault) {
    return switch (fault) {
      case SILENT -> isFalse(type, Reason.VM_LOST, "Neither the agent nor sshd answers");
      case HUNG ->
          isFalse(
              type,
              Reason.VM_HUNG,
              "The machine takes connections, and neither the agent nor sshd answers");
    };
  }

  private Condition kept(String type) {
    return find(view.status().conditions(), type)
        .orElseGet(() -> isUnknown(type, Reason.WAITING, "The machine must be reached first"));
  }

  private Condition agentConnected() {
    String type = ConditionType.AGENT_CONNECTED;
    if (Voices.hasLeft(view.voice())) {
      return left(type);
    }
    if (view.stopped() && !(view.health() instanceof VmHealth.Conflict)) {
      return isFalse(type, Reason.STOPPED, STOPPED_BY_OWNER);
    }
    return switch (view.health()) {
      case VmHealth.Conflict _ ->
          isFalse(
              type,
              Reason.IDENTITY_CONFLICT,
              "Two agents answer for this machine; find out which one is real and stop the other");
      case VmHealth.Lost(_, _, VmFault fault) -> lost(type, fault);
      case VmHealth.AgentDown(_, _, AgentFault fault) ->
          switch (fault) {
            case CRASHED ->
                isFalse(
                    type, Reason.AGENT_LOST, "sshd answers, the agent does not; it is restarted");
            case HUNG ->
                isFalse(
                    type,
                    Reason.AGENT_HUNG,
                    "The agent's connection stood and nothing came; it is restarted");
          };
      case VmHealth.Unwatched _, VmHealth.Awaited _, VmHealth.Alive _, VmHealth.Suspect _ ->
          view.session().isPresent()
              ? isTrue(type, Reason.AGENT_CONNECTED, "The agent has a session")
              : isFalse(type, Reason.AGENT_NOT_CONNECTED, "The agent has not connected");
    };
  }

  /** Its status stays; only the reason tells that nobody works on it. */
  private Condition paused() {
    String status =
        holds(view.status().conditions(), ConditionType.READY) ? Conditions.TRUE : Conditions.FALSE;
    return new Condition(
        null,
        "The annotation crowdlab.dev/paused stops all work on this object",
        null,
        Reason.PAUSED.value(),
        status,
        ConditionType.READY);
  }

  private Condition ready(List<Condition> conditions) {
    String type = ConditionType.READY;
    if (view.deleting()) {
      return isFalse(type, Reason.DELETING, "The machine is being drained and cleaned");
    }
    Voice voice = view.voice();
    if (voice != null && voice.hasLeft()) {
      return isFalse(
          type,
          Reason.LEFT,
          "Its contributor has it back; delete this object, or take the machine in again by the"
              + " annotation crowdlab.dev/rejoin="
              + voice.id());
    }
    if (view.status().quarantine() != null) {
      return isFalse(
          type, Reason.QUARANTINED, "A violation holds the machine until a person releases it");
    }
    if (Voices.isLeaving(voice)) {
      return isFalse(
          type, Reason.LEAVING, "Its contributor wants it back; it is being drained and cleaned");
    }
    for (Condition step : conditions) {
      if (!Conditions.TRUE.equals(step.getStatus()) && !reportedOnly(step)) {
        Reason reason = Reasons.of(step);
        return isFalse(
            type,
            reason == Reason.WAITING || reason == Reason.AGENT_NOT_CONNECTED
                ? Reason.PROGRESSING
                : reason,
            step.getMessage());
      }
    }
    Optional<FaultCause> disk = Reputations.disk(reputation);
    if (disk.isPresent()) {
      return badDisk(disk.get());
    }
    if (view.stale() || stableFrom().isPresent()) {
      return isFalse(
          type,
          Reason.STABILISING,
          "Back after it was lost, stopped or paused; it must stay a while, and stop what it still"
              + " ran, before it carries teams");
    }
    if (view.availability() instanceof Availability.Invalid(String zone)) {
      return isFalse(
          type,
          Reason.INVALID_TIME_ZONE,
          "spec.availability names the time zone "
              + zone
              + ", which does not exist; write one such as Europe/Berlin");
    }
    return able(conditions);
  }

  /** Its agent is well, and says what it found. */
  private static Condition badDisk(FaultCause cause) {
    return cause == FaultCause.DISK_FULL
        ? isFalse(
            ConditionType.READY,
            Reason.DISK_FULL,
            "Its disk is full: no space, no inodes, or a quota is used up. Its teams stay, and no"
                + " new one comes until there is room under /var/lib; crowdlab-agent status names"
                + " the folder")
        : isFalse(
            ConditionType.READY,
            Reason.DISK_READ_ONLY,
            "Its disk can only be read, as after an error of the disk. Its teams stay, and no new"
                + " one comes until its owner has it writable again; crowdlab-agent status names"
                + " the folder");
  }

  /** The machine is well; what remains is whether teams may come. */
  private Condition able(List<Condition> conditions) {
    String type = ConditionType.READY;
    if (leaving() && !view.remaining().isEmpty()) {
      return isTrue(type, Reason.DRAINING, "The machine is well; its teams are leaving");
    }
    if (Voices.isStopped(view.voice())) {
      return isFalse(type, Reason.STOPPED, STOPPED_BY_OWNER);
    }
    if (view.vm().getSpec().drain()) {
      return isTrue(type, Reason.DRAINED, "The machine is well; spec.drain keeps teams away");
    }
    if (view.voice() != null) {
      return isTrue(
          type,
          Reason.CONTRIBUTOR_PAUSED,
          "The machine is well; its contributor paused it on the machine");
    }
    if (view.availability() instanceof Availability.NotLent) {
      return isTrue(
          type, Reason.OUTSIDE_WINDOW, "The machine is well; its contributor does not lend it now");
    }
    if (!view.vm().getSpec().schedulable()) {
      return isTrue(
          type, Reason.CORDONED, "The machine is well; spec.schedulable keeps new teams away");
    }
    if (conditions.stream().anyMatch(VmConditions::reportedOnly)) {
      return isTrue(
          type,
          Reason.POLICY_VIOLATED,
          "The machine carries teams although it violates the policy, as onViolation: Report asks");
    }
    return isTrue(type, Reason.READY, "The machine can carry teams");
  }

  /** A violation that the policy only reports: the condition says so, and nothing moves. */
  private static boolean reportedOnly(Condition step) {
    return ConditionType.VERIFIED.equals(step.getType())
        && Reasons.of(step) == Reason.POLICY_VIOLATED;
  }

  /** From when on a machine that was away may carry teams again; empty when nothing holds it. */
  private Optional<Instant> stableFrom() {
    return reputation == null
        ? Optional.empty()
        : Optional.ofNullable(reputation.stableFrom()).map(Times::parse);
  }

  /** The shortest time in which something changes by itself, for the next look. */
  Duration lookAgain(Duration longest) {
    Duration next = longest;
    if (!view.paused()
        && VmAction.refusal(view.status()).equals(Optional.of(Reason.ADDRESS_NOT_ALLOWED))) {
      next = next.compareTo(ADDRESS_INTERVAL) < 0 ? next : ADDRESS_INTERVAL;
    }
    if (view.session().isPresent() && stableFrom().isPresent()) {
      next = earlier(next, stableFrom().get());
    }
    next =
        switch (view.availability()) {
          case Availability.Lent lent when lent.until().isPresent() ->
              earlier(next, lent.until().get());
          case Availability.NotLent(Instant from) -> earlier(next, from);
          case Availability.Lent _ -> next;
          case Availability.Invalid _ -> next;
        };
    Backoff backoff = view.status().backoff();
    // One that is over and was not followed by an attempt waits for a change, not for time.
    if (backoff != null && backoff.nextAttempt() != null && !VmAction.due(backoff, view.now())) {
      next = earlier(next, Times.parse(backoff.nextAttempt()));
    }
    return next;
  }

  private Duration earlier(Duration bound, Instant instant) {
    Duration left = Duration.between(view.now(), instant);
    if (left.isNegative()) {
      return Duration.ofMillis(10);
    }
    return left.compareTo(bound) < 0 ? left.plusMillis(10) : bound;
  }
}
