package dev.crowdlab.vm;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.Voice;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.EventRecorder;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.core.Times;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.vm.VmAccess.Removed;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a machine back, because its object is deleted or its contributor wants it: its teams leave,
 * everything of ours goes, within a bound. Over SSH, or by the agent when nobody can log in any
 * more: the Secret may be gone before the machine, when a whole namespace goes.
 */
final class VmRelease {

  private static final Logger LOG = LoggerFactory.getLogger(VmRelease.class);

  /** The next pass ends it. */
  static final Duration AT_ONCE = Duration.ofMillis(50);

  /** For agents to find a hub that has just opened: they try at least every 5 s. */
  private static final Duration DIAL_BOUND = Duration.ofSeconds(15);

  private static final Duration DRAIN_INTERVAL = Duration.ofSeconds(1);

  /**
   * For a team that is deleted, from when that was seen: as long as its own removal waits for its
   * run to stop in order, see {@code TeamSettings.Bounds.stop}.
   */
  private static final Duration DELETED_TEAMS = Duration.ofSeconds(20);

  private static final Duration RETRY_INTERVAL = Duration.ofSeconds(5);

  /** Packages go too, on a machine that may be slow; each attempt goes on where the last ended. */
  private static final Duration LONGEST_ATTEMPT = Duration.ofMinutes(2);

  private static final Duration SHORTEST_ATTEMPT = Duration.ofSeconds(10);

  private final VmObserver observer;
  private final VmLifecycle lifecycle;
  private final VmAccess access;
  private final Agents agents;
  private final Enrolment enrolment;
  private final Judge judge;
  private final EventRecorder events;
  private final StepListener steps;
  private final InstantSource clock;
  private final VmSettings settings;

  /** By the object's UID; of machines whose release is under way. */
  private final Map<String, ReleaseMemory> memories = new ConcurrentHashMap<>();

  VmRelease(
      VmObserver observer,
      VmLifecycle lifecycle,
      VmAccess access,
      Agents agents,
      Enrolment enrolment,
      Judge judge,
      EventRecorder events,
      StepListener steps,
      InstantSource clock,
      VmSettings settings) {
    this.observer = observer;
    this.lifecycle = lifecycle;
    this.access = access;
    this.agents = agents;
    this.enrolment = enrolment;
    this.judge = judge;
    this.events = events;
    this.steps = steps;
    this.clock = clock;
    this.settings = settings;
  }

  /**
   * One pass over a machine that is being deleted; empty when the object may go, else when to look
   * again.
   */
  Optional<Duration> pass(ContributedVM vm, VmSurroundings around, StatusSink sink) {
    VmView view = observer.observe(vm, around);
    if (vm.getStatus().address() == null) {
      // Nothing was ever sent to it under this name, or all is done.
      return gone(view);
    }
    if (Names.TRUE.equals(VmView.annotations(vm).get(Names.FORCE_DELETE))) {
      events.warning(
          vm, Reason.CLEANUP_ABANDONED, "Clean-up was skipped, as crowdlab.dev/force-delete asks");
      return gone(view);
    }
    ContributedVMStatus status = lifecycle.statusOf(view);
    ContributedVM written = status.equals(vm.getStatus()) ? vm : sink.write(vm, status);
    ReleaseMemory memory = memory(view);
    Duration since =
        memory.since(Instant.parse(vm.getMetadata().getDeletionTimestamp()), view.now());
    if (waitsForTeams(view, memory, since)) {
      return Optional.of(DRAIN_INTERVAL);
    }
    if (view.olderTwin().isPresent()) {
      // The machine is the other's.
      return gone(view);
    }
    steps.reached("vm.drained", view.ref());
    Optional<NotClean> notClean = clean(view, since, SHORTEST_ATTEMPT, Reason.DELETING);
    if (notClean.isPresent()) {
      if (since.compareTo(settings.cleanupBound()) < 0 || isYetToDial(view)) {
        return Optional.of(notClean.get().again());
      }
      tellAbandoned(view, notClean.get(), "");
    }
    steps.reached("vm.cleaned", view.ref());
    // Stands before the object goes: after a crash nobody asks the machine again, which may have no
    // agent any more that could answer.
    sink.write(written, written.getStatus().toBuilder().address(null).build());
    steps.reached("vm.released", view.ref());
    return Optional.of(AT_ONCE);
  }

  /**
   * One pass over a machine whose contributor wants it back; empty when it needs none, else when to
   * look again. The object stays, and says that the machine has left, once nothing of ours is on
   * it: unlike a deletion, this holds nobody up, so it is never given up for good.
   */
  Optional<Duration> leave(ContributedVM vm, VmSurroundings around, StatusSink sink) {
    Voice voice = vm.getStatus().voice();
    if (voice == null || !Voices.isLeaving(voice) || VmView.isPaused(vm)) {
      memories.remove(vm.getMetadata().getUid());
      return Optional.empty();
    }
    VmView view = observer.observe(vm, around);
    ContributedVM clean = vm;
    if (vm.getStatus().address() != null) {
      ReleaseMemory memory = memory(view);
      Instant heard = voice.since() == null ? view.now() : Times.parse(voice.since());
      Duration since = memory.since(heard, view.now());
      if (waitsForTeams(view, memory, since)) {
        return Optional.of(DRAIN_INTERVAL);
      }
      ContributedVM begun = begun(vm, sink);
      Optional<Duration> again = cleanOrLater(view, memory, since);
      if (again.isPresent()) {
        return again;
      }
      // Stands before the agent is forgotten, as in a deletion.
      clean = sink.write(begun, begun.getStatus().toBuilder().address(null).build());
    }
    gone(view);
    ContributedVMStatus left =
        clean.getStatus().toBuilder()
            .voice(Voices.left(voice, clock.instant()))
            .agent(null)
            .build();
    VmView after = observer.observe(VmObserver.withStatus(clean, left), around);
    sink.write(clean, lifecycle.statusOf(after));
    return Optional.empty();
  }

  /** Empty when the machine that leaves is clean. */
  private Optional<Duration> cleanOrLater(VmView view, ReleaseMemory memory, Duration since) {
    if (view.olderTwin().isPresent()) {
      // The machine is the other's; what is ours there goes when that object goes.
      return Optional.of(RETRY_INTERVAL);
    }
    Duration rest = memory.rest(view, settings.longestBackoff());
    if (rest.isPositive()) {
      return Optional.of(rest.compareTo(settings.refresh()) < 0 ? rest : settings.refresh());
    }
    boolean late = since.compareTo(settings.cleanupBound()) >= 0;
    Optional<NotClean> notClean =
        clean(view, since, late ? LONGEST_ATTEMPT : SHORTEST_ATTEMPT, Reason.LEFT);
    if (notClean.isPresent() && notClean.get().failed() && late && !isYetToDial(view)) {
      // Somebody told it to leave and then switched it off, say: it is cleaned when it is back.
      if (memory.gaveUp(view.now())) {
        tellAbandoned(view, notClean.get(), "; it is tried again now and then");
      }
    }
    return notClean.map(NotClean::again);
  }

  private ReleaseMemory memory(VmView view) {
    return memories.computeIfAbsent(view.ref().uid(), _ -> new ReleaseMemory(view.now()));
  }

  /**
   * Stands before the first effect: teams that are still there are lost with it, and should the
   * contributor change their mind now, or we crash, the machine is integrated anew.
   */
  private ContributedVM begun(ContributedVM vm, StatusSink sink) {
    ContributedVMStatus status = vm.getStatus();
    if (status.inputs() == null) {
      return vm;
    }
    List<Condition> conditions = new ArrayList<>(status.conditions());
    conditions.removeIf(condition -> ConditionType.CONFIGURED.equals(condition.getType()));
    conditions.add(
        Conditions.isFalse(
            ConditionType.CONFIGURED, Reason.LEAVING, "Everything of ours is being removed"));
    return sink.write(
        vm,
        status.toBuilder()
            .inputs(null)
            .conditions(
                Conditions.merge(
                    status.conditions(), conditions, clock, vm.getMetadata().getGeneration()))
            .build());
  }

  private boolean waitsForTeams(VmView view, ReleaseMemory memory, Duration since) {
    boolean deleted =
        memory.waitsForDeleted(ReleaseMemory.deleted(view), DELETED_TEAMS, view.now());
    return deleted || (!view.remaining().isEmpty() && since.compareTo(settings.drainBound()) < 0);
  }

  /**
   * What an attempt came to that left something of ours.
   *
   * @param failed false while it is under way
   */
  private record NotClean(boolean failed, String why, Duration again) {}

  /** Empty when the machine is clean. */
  private Optional<NotClean> clean(VmView view, Duration since, Duration shortest, Reason why) {
    Outcome<Removed> outcome =
        switch (view.target()) {
          case Outcome.Done<SshTarget>(SshTarget target) -> overSsh(view, target, since, shortest);
          case Outcome.Failed<SshTarget>(Outcome.Failure failure) -> byAgent(view, failure);
          case Outcome.InProgress<SshTarget>(Duration again, String what) ->
              Outcome.inProgress(again, what);
        };
    return switch (outcome) {
      case Outcome.Done<Removed>(Removed removed) -> {
        LOG.info("{}: clean, packages kept: {}", view.ref(), removed.kept());
        events.normal(view.vm(), why, removedNote(removed));
        yield Optional.empty();
      }
      case Outcome.InProgress<Removed>(Duration again, String what) ->
          Optional.of(new NotClean(false, what, again));
      case Outcome.Failed<Removed>(Outcome.Failure failure) ->
          Optional.of(new NotClean(true, failure.message(), RETRY_INTERVAL));
    };
  }

  private Outcome<Removed> overSsh(
      VmView view, SshTarget target, Duration since, Duration shortest) {
    Duration left = settings.cleanupBound().minus(since);
    Duration bound = left.compareTo(shortest) < 0 ? shortest : left;
    Outcome<Removed> outcome =
        access.uninstall(target, Deadline.in(LONGEST_ATTEMPT).atMost(bound)).outcome();
    return outcome instanceof Outcome.Failed<Removed>(Outcome.Failure failure)
            && Reasons.preventsLogin(failure.reason())
        ? byAgent(view, failure)
        : outcome;
  }

  /** The agent's connection is another way to the machine; without one, the failure stands. */
  private Outcome<Removed> byAgent(VmView view, Outcome.Failure failure) {
    Outcome<Removed> outcome =
        agents.uninstall(view.ref()).map(done -> new Removed(true, done.kept()));
    return outcome instanceof Outcome.Failed<Removed>(Outcome.Failure agents)
            && agents.reason() == Reason.AGENT_NOT_CONNECTED
        ? new Outcome.Failed<>(
            new Outcome.Failure(
                failure.kind(), failure.reason(), failure.message() + "; " + agents.message()))
        : outcome;
  }

  private static String removedNote(Removed removed) {
    return removed.kept().isEmpty()
        ? "The machine is as it was before"
        : "The machine is as it was before, but for packages that something else needs now: "
            + String.join(", ", removed.kept());
  }

  private void tellAbandoned(VmView view, NotClean notClean, String outlook) {
    // Also here: a namespace that is going takes no events.
    LOG.warn("{}: given up, not clean: {}", view.ref(), notClean.why());
    events.warning(
        view.vm(),
        Reason.CLEANUP_ABANDONED,
        "The machine was not cleaned ("
            + notClean.why()
            + "); what we installed there is removed by /opt/crowdlab/uninstall"
            + outlook);
  }

  /** The operator has just begun: its time may be over, and the machine all the same there. */
  private static boolean isYetToDial(VmView view) {
    return view.health() instanceof VmHealth.Awaited(Instant since)
        && since.plus(DIAL_BOUND).isAfter(view.now());
  }

  /** Nobody of that name is let in or known any more. */
  private Optional<Duration> gone(VmView view) {
    memories.remove(view.ref().uid());
    agents.forget(view.ref());
    enrolment.revoke(view.ref());
    judge.forget(view.vm());
    steps.reached("vm.forgotten", view.ref());
    return Optional.empty();
  }
}
