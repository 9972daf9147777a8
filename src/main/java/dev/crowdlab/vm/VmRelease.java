package dev.crowdlab.vm;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.EventRecorder;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.vm.VmAccess.Removed;
import dev.crowdlab.vm.VmAccess.Reply;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

/** Gives a machine back: its teams leave, everything of ours goes, within a bound. */
final class VmRelease {

  private static final Duration DRAIN_INTERVAL = Duration.ofSeconds(1);
  private static final Duration RETRY_INTERVAL = Duration.ofSeconds(5);

  private final VmObserver observer;
  private final VmLifecycle lifecycle;
  private final VmAccess access;
  private final Agents agents;
  private final Enrolment enrolment;
  private final Judge judge;
  private final EventRecorder events;
  private final InstantSource clock;
  private final VmSettings settings;

  VmRelease(
      VmObserver observer,
      VmLifecycle lifecycle,
      VmAccess access,
      Agents agents,
      Enrolment enrolment,
      Judge judge,
      EventRecorder events,
      InstantSource clock,
      VmSettings settings) {
    this.observer = observer;
    this.lifecycle = lifecycle;
    this.access = access;
    this.agents = agents;
    this.enrolment = enrolment;
    this.judge = judge;
    this.events = events;
    this.clock = clock;
    this.settings = settings;
  }

  /**
   * One pass over a machine that is being deleted; empty when the object may go, else when to look
   * again.
   */
  Optional<Duration> pass(ContributedVM vm, VmSurroundings around, StatusSink sink) {
    VmView view = observer.observe(vm, around);
    if (Names.TRUE.equals(VmView.annotations(vm).get(Names.FORCE_DELETE))) {
      events.warning(
          vm, Reason.CLEANUP_ABANDONED, "Clean-up was skipped, as crowdlab.dev/force-delete asks");
      return gone(view);
    }
    ContributedVMStatus status = lifecycle.statusOf(view);
    if (!status.equals(vm.getStatus())) {
      sink.write(vm, status);
    }
    Duration since =
        Duration.between(Instant.parse(vm.getMetadata().getDeletionTimestamp()), clock.instant());
    if (!view.teams().isEmpty() && since.compareTo(settings.drainBound()) < 0) {
      return Optional.of(DRAIN_INTERVAL);
    }
    if (vm.getStatus().address() == null || view.olderTwin().isPresent()) {
      // Nothing was ever sent to it under this name.
      return gone(view);
    }
    return clean(view, since);
  }

  private Optional<Duration> clean(VmView view, Duration since) {
    Outcome<Removed> outcome =
        switch (view.target()) {
          case Outcome.Done<SshTarget>(SshTarget target) -> {
            Reply<Removed> reply = access.uninstall(target, Deadline.in(settings.probeBound()));
            yield reply.outcome();
          }
          case Outcome.Failed<SshTarget> _ ->
              agents.uninstall(view.ref()).map(_ -> new Removed(true, java.util.List.of()));
          case Outcome.InProgress<SshTarget>(Duration again, String what) ->
              Outcome.inProgress(again, what);
        };
    return switch (outcome) {
      case Outcome.Done<Removed>(Removed removed) -> {
        events.normal(view.vm(), Reason.DELETING, removedNote(removed));
        yield gone(view);
      }
      case Outcome.InProgress<Removed>(Duration again, String what) ->
          abandonedOr(view, since, what, again);
      case Outcome.Failed<Removed>(Outcome.Failure failure) ->
          abandonedOr(view, since, failure.message(), RETRY_INTERVAL);
    };
  }

  private static String removedNote(Removed removed) {
    return removed.kept().isEmpty()
        ? "The machine is as it was before"
        : "The machine is as it was before, but for packages that something else needs now: "
            + String.join(", ", removed.kept());
  }

  private Optional<Duration> abandonedOr(VmView view, Duration since, String why, Duration again) {
    if (since.compareTo(settings.cleanupBound()) < 0) {
      return Optional.of(again);
    }
    events.warning(
        view.vm(),
        Reason.CLEANUP_ABANDONED,
        "The machine was not cleaned ("
            + why
            + "); what we installed there is removed by /opt/crowdlab/uninstall");
    return gone(view);
  }

  private Optional<Duration> gone(VmView view) {
    agents.forget(view.ref());
    enrolment.revoke(view.ref());
    judge.forget(view.vm());
    return Optional.empty();
  }
}
