package dev.crowdlab.vm;

import static dev.crowdlab.core.Conditions.holds;

import dev.crowdlab.api.Backoff;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.IntegrityStatus;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Times;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.hub.VmHealth.VmFault;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** The one thing to do about a machine now. */
sealed interface VmAction {

  /** Probe, judge, configure: from the beginning, as every step is idempotent. */
  record Integrate() implements VmAction {}

  /** Probe and judge; nothing is changed on the machine. */
  record Verify() implements VmAction {}

  /** The machine answers, its agent does not. */
  record RestartAgent() implements VmAction {}

  /**
   * Whether the agent that its owner stopped may be started: it may have failed since. One that is
   * still stopped in order is left alone.
   */
  record LookForAgent() implements VmAction {}

  /** Nothing, until something changes. */
  record Rest() implements VmAction {}

  /**
   * Decides; a pure function.
   *
   * @param enrolBound how long an agent may take to connect before it is restarted
   * @param reverify time between verifications
   */
  static VmAction decide(VmView view, Duration enrolBound, Duration reverify) {
    ContributedVMStatus status = view.status();
    if (view.paused()
        || view.deleting()
        || view.olderTwin().isPresent()
        || !(view.target() instanceof Outcome.Done)) {
      return new Rest();
    }
    if (Voices.hasLeft(view.voice()) || Voices.isLeaving(view.voice())) {
      return new Rest();
    }
    // On a machine whose owner stopped the agent too: an attempt leaves its service alone.
    if (!view.inputs().equals(status.inputs())) {
      return new Integrate();
    }
    Optional<Reason> refusal = refusal(status);
    if (refusal.isPresent()) {
      // Its teams go on meanwhile.
      return isWorthAnother(view, refusal.get()) ? new Integrate() : new Rest();
    }
    Backoff backoff = status.backoff();
    if (backoff != null && !due(backoff, view.now())) {
      return new Rest();
    }
    if (!holds(status.conditions(), ConditionType.CONFIGURED)) {
      // Without a backoff the last attempt ended in what only a person can change.
      return backoff == null ? new Rest() : new Integrate();
    }
    if (view.stopped()) {
      return whileStopped(view, enrolBound);
    }
    return switch (view.health()) {
      case VmHealth.AgentDown _ -> new RestartAgent();
      case VmHealth.Lost(_, _, VmFault fault) ->
          // A hung machine would hold each login against us when it goes on; its agent will tell.
          backoff == null || fault == VmFault.HUNG ? new Rest() : new Integrate();
      case VmHealth.Awaited(Instant since) ->
          since.plus(enrolBound).isAfter(view.now()) ? new Rest() : new RestartAgent();
      case VmHealth.Alive _ -> whileAlive(view, reverify);
      case VmHealth.Unwatched _, VmHealth.Suspect _, VmHealth.Conflict _ -> new Rest();
    };
  }

  /** Its backoff, if there is one, is over. */
  private static VmAction whileStopped(VmView view, Duration enrolBound) {
    Backoff backoff = view.status().backoff();
    if (backoff != null && isUnfinished(view.status())) {
      return new Integrate();
    }
    return switch (view.health()) {
      case VmHealth.AgentDown(_, Instant since, _) -> lookAfter(view, since, enrolBound);
      case VmHealth.Awaited(Instant since) -> lookAfter(view, since, enrolBound);
      case VmHealth.Lost(_, _, VmFault fault) ->
          // Without an attempt that failed, its owner's start is waited for.
          backoff == null || fault == VmFault.HUNG ? new Rest() : new Integrate();
      case VmHealth.Unwatched _, VmHealth.Alive _, VmHealth.Suspect _, VmHealth.Conflict _ ->
          new Rest();
    };
  }

  private static VmAction lookAfter(VmView view, Instant silentSince, Duration enrolBound) {
    return silentSince.plus(enrolBound).isAfter(view.now()) ? new Rest() : new LookForAgent();
  }

  private static VmAction whileAlive(VmView view, Duration reverify) {
    if (isUnfinished(view.status())) {
      return new Integrate();
    }
    if (view.session().map(s -> !s.agentVersion().equals(view.agentVersion())).orElse(false)) {
      return new Integrate();
    }
    IntegrityStatus integrity = view.status().integrity();
    String lastVerified = integrity == null ? null : integrity.lastVerified();
    if (lastVerified == null || !Times.parse(lastVerified).plus(reverify).isAfter(view.now())) {
      return new Verify();
    }
    return new Rest();
  }

  /**
   * Whether what a person must change may have been changed where nothing tells us. To look an
   * address up dials nobody; to be refused by a machine again and again would get us locked out, so
   * that is done only now and then, by a backoff, and with a hung machine never.
   */
  private static boolean isWorthAnother(VmView view, Reason refusal) {
    if (view.health() instanceof VmHealth.Lost(_, _, VmFault fault) && fault == VmFault.HUNG) {
      return false;
    }
    Backoff backoff = view.status().backoff();
    return backoff == null
        ? refusal == Reason.ADDRESS_NOT_ALLOWED
        : Reasons.mayBeMendedElsewhere(refusal) && due(backoff, view.now());
  }

  /** Whether the machine cannot be logged in to until a person changes something. */
  static boolean isRefused(ContributedVMStatus status) {
    return refusal(status).isPresent();
  }

  /** Why the machine cannot be logged in to until a person changes something. */
  static Optional<Reason> refusal(ContributedVMStatus status) {
    return Conditions.find(status.conditions(), ConditionType.REACHABLE)
        .filter(condition -> Conditions.FALSE.equals(condition.getStatus()))
        .map(Reasons::of)
        .filter(Reasons::isRefusal);
  }

  /** Whether the last attempt ended before anybody could log in, or before a verdict. */
  static boolean isUnfinished(ContributedVMStatus status) {
    return Conditions.find(status.conditions(), ConditionType.REACHABLE)
            .filter(condition -> Conditions.FALSE.equals(condition.getStatus()))
            .filter(condition -> Reasons.mayPass(Reasons.of(condition)))
            .isPresent()
        || Conditions.hasReason(
            status.conditions(), ConditionType.VERIFIED, Reason.VERIFICATION_FAILED);
  }

  /** Whether a backoff is over. */
  static boolean due(Backoff backoff, Instant now) {
    String next = backoff.nextAttempt();
    return next == null || !Times.parse(next).isAfter(now);
  }
}
