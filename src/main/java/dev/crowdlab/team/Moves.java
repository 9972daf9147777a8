package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.core.EventRecorder;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.core.Times;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.team.Observed.BoundVm;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes bindings. A new one stands in status before anything is done for it, and supersedes the
 * old one; none is edited.
 */
final class Moves {

  private static final Logger LOG = LoggerFactory.getLogger(Moves.class);
  private static final Duration LOOK_FOR_ROOM = Duration.ofSeconds(30);

  /** How long a machine that could not be made ready for a team is not asked again. */
  private static final Duration SHUNNED_FOR = Duration.ofMinutes(2);

  private static final int SUPERSEDED_KEPT = 10;

  private final Agents agents;
  private final Places places;
  private final Images images;
  private final Ahead ahead;
  private final Diversions diversions;
  private final Recorder recorder;
  private final EventRecorder events;
  private final RoomNews room;
  private final StepListener steps;
  private final InstantSource clock;
  private final Duration ingress;

  /**
   * Moves by these.
   *
   * @param ingress how long an ingress takes to obey a route
   */
  Moves(
      Agents agents,
      Places places,
      Images images,
      Ahead ahead,
      Diversions diversions,
      Recorder recorder,
      EventRecorder events,
      RoomNews room,
      StepListener steps,
      InstantSource clock,
      Duration ingress) {
    this.agents = agents;
    this.places = places;
    this.images = images;
    this.ahead = ahead;
    this.diversions = diversions;
    this.recorder = recorder;
    this.events = events;
    this.room = room;
    this.steps = steps;
    this.clock = clock;
    this.ingress = ingress;
  }

  /**
   * Reserves a place, has it made ready while the old run serves and has the old machine stop,
   * where that is possible, and writes the binding.
   */
  Result move(Pass pass, Observed o, NextStep.Move move) {
    RecoveryCause cause = move.cause();
    boolean fault = !move.inOrder() && isGone(o.machine());
    if (fault && cause != null) {
      opened(pass, o, cause);
    }
    if (fault || cause == null) {
      diversions.start(pass, Diversions.why(pass.status()));
    }
    Set<String> shunned = move.inOrder() ? pass.memory().shunned(o.now()) : Set.of();
    return switch (places.reserve(pass, move.wish(), shunned)) {
      case Reservations.None(Placement.NoCapacity why) -> noRoom(pass, move, fault, why);
      case Reservations.Reserved place -> {
        steps.reached("team.chosen", pass.ref());
        yield isPlanned(pass, o, move, place)
            ? prepare(pass, o, move, place)
            : go(pass, o, move, place);
      }
    };
  }

  /** Whether what runs goes on until another machine is ready for it. */
  private static boolean isPlanned(
      Pass pass, Observed o, NextStep.Move move, Reservations.Reserved place) {
    boolean elsewhere =
        o.binding().filter(old -> place.vm().ref().uid().equals(old.vmUid())).isEmpty();
    boolean serves = o.ready() || pass.memory().ahead() != null;
    // Once students are sent away there is no waiting any more: what is not made, the run makes.
    boolean left = pass.memory().diverted() != null || pass.memory().stopOrdered() != null;
    return move.inOrder() && elsewhere && serves && !left;
  }

  private Result prepare(Pass pass, Observed o, NextStep.Move move, Reservations.Reserved place) {
    return switch (ahead.at(pass, o, place, nextEpoch(pass))) {
      case Ahead.Standing.Waits(Duration lookAgain) -> Result.park(lookAgain);
      case Ahead.Standing.Failed(String why) -> {
        // Where it runs is better than where it could not: it goes on to the next machine, if any.
        VmRef vm = place.vm().ref();
        LOG.info("{}: does not move to {}: {}", pass.ref(), vm.name(), why);
        events.warning(
            pass.team(),
            Reason.RECOVERING,
            "it does not move to %s, which could not be made ready for it: %s"
                .formatted(vm.name(), why));
        ahead.dismiss(pass);
        pass.memory(memory -> memory.shunning(vm.uid(), o.now().plus(SHUNNED_FOR), o.now()));
        yield Result.go();
      }
      case Ahead.Standing.Blocked(Outcome.Failure why) -> blocked(pass, o, move, place, why);
      case Ahead.Standing.Made _ -> {
        steps.reached("team.prepared", pass.ref());
        yield go(pass, o, move, place);
      }
    };
  }

  /**
   * No machine could take it now, and none is to blame. What serves stays where it is; an edit that
   * changes what runs shows its own trouble, as on its own machine.
   */
  private Result blocked(
      Pass pass, Observed o, NextStep.Move move, Reservations.Reserved place, Outcome.Failure why) {
    if (move.cause() == RecoveryCause.SPEC_CHANGED) {
      return go(pass, o, move, place);
    }
    LOG.info("{}: stays where it is: {}", pass.ref(), why.message());
    events.warning(pass.team(), why.reason(), "it stays where it is: " + why.message());
    ahead.dismiss(pass);
    pass.memory(memory -> memory.stays(true));
    return Result.go();
  }

  private Result go(Pass pass, Observed o, NextStep.Move move, Reservations.Reserved place) {
    Memory.Ahead asked = pass.memory().ahead();
    if (asked != null && !asked.isFor(place.vm().ref(), nextEpoch(pass))) {
      ahead.dismiss(pass);
    }
    RecoveryCause cause = move.cause();
    if (cause != null) {
      opened(pass, o, cause);
    }
    diversions.start(pass, Diversions.why(pass.status()));
    if (move.inOrder() && pass.memory().stopOrdered() == null && pass.memory().ahead() == null) {
      // On its own machine, where no more than images can be prepared while it runs.
      images.prepare(pass, place.vm().ref());
    }
    Result stopped = move.inOrder() ? stop(pass, o) : Result.go();
    return stopped instanceof Result.Go ? bind(pass, o, place) : stopped;
  }

  private Result noRoom(Pass pass, NextStep.Move move, boolean fault, Placement.NoCapacity why) {
    boolean serves =
        switch (move.cause()) {
          case VM_DRAINED, VM_DELETED, AGENT_LOST, AGENT_HUNG -> true;
          case VM_LOST,
              VM_HUNG,
              VM_QUARANTINED,
              REQUESTED,
              SPEC_CHANGED,
              EXERCISE_FAILED,
              MOUNT_LOST ->
              false;
          case null -> false;
        };
    if (serves && !fault) {
      LOG.info("{}: would leave its machine, but {}", pass.ref(), why.message());
      events.normal(
          pass.team(), Reason.NO_CAPACITY, "it would leave its machine, but " + why.message());
      pass.memory(memory -> memory.stays(true));
      return Result.go();
    }
    Reason reason = why.nothingMatches() ? Reason.NO_MATCHING_VM : Reason.NO_CAPACITY;
    return new Result.Park(LOOK_FOR_ROOM, Problem.of(reason, why.message()));
  }

  /** Suspended or expired: stop in order where possible, then write that there is no binding. */
  Result unbind(Pass pass, Observed o, NextStep.Unbind unbind) {
    Result stopped = unbind.inOrder() ? stop(pass, o) : Result.go();
    if (!(stopped instanceof Result.Go)) {
      return stopped;
    }
    long epoch = nextEpoch(pass);
    pass.status(
        status ->
            superseding(status, pass.memory())
                .binding(null)
                .highestEpoch(epoch)
                .backoff(null)
                .build());
    LOG.info("{}: unbound ({}), epoch {}", pass.ref(), unbind.why(), epoch);
    return written(pass, new NextStep.Seal(epoch, unbind.why()), "team.unbound");
  }

  private Result bind(Pass pass, Observed o, Reservations.Reserved place) {
    VmRef vm = place.vm().ref();
    long epoch = nextEpoch(pass);
    Instant now = clock.instant();
    Binding binding =
        new Binding(
            vm.name(),
            vm.uid(),
            epoch,
            Times.format(now),
            place.vm().address(),
            place.port(),
            o.generation(),
            o.digest());
    pass.status(
        status ->
            Retry.underWay(
                Timeline.chosen(
                    superseding(status, pass.memory())
                        .binding(binding)
                        .highestEpoch(epoch)
                        .workspace(places.workspace(pass.team()))
                        .build(),
                    vm.name(),
                    epoch,
                    now),
                o.generation()));
    LOG.info(
        "{}: bound to {}, epoch {} ({} other machines would do)",
        pass.ref(),
        vm.name(),
        epoch,
        place.alternatives());
    return written(pass, new NextStep.Fence(), "team.bound");
  }

  private Result written(Pass pass, NextStep next, String boundary) {
    Result result = recorder.write(pass, next, null);
    if (result instanceof Result.Go) {
      places.bound(pass.team());
      room.changed(pass.ref().namespace());
      steps.reached(boundary, pass.ref());
    }
    return result;
  }

  private Result stop(Pass pass, Observed o) {
    Binding binding = o.binding().orElseThrow();
    if (!(o.machine() instanceof BoundVm.Known(VmView vm, _, _))) {
      return Result.go();
    }
    if (pass.memory().stopOrdered() == null) {
      Duration left = untilDiverted(pass, o);
      if (left.isPositive()) {
        return Result.park(left);
      }
      LOG.info("{}: stopping on {}, epoch {}", pass.ref(), binding.vm(), binding.epoch());
      pass.memory(memory -> memory.stopping(o.now()));
    }
    return switch (agents.stop(vm.ref(), pass.ref(), binding.epoch())) {
      case Outcome.Done<Void> _ -> stopped(pass, Memory::gone);
      case Outcome.InProgress<Void> _ when isSaved(pass, vm.ref(), binding) ->
          stopped(pass, Memory::saved);
      case Outcome.InProgress<Void>(Duration lookAgain, _) -> Result.park(lookAgain);
      case Outcome.Failed<Void> _ -> Result.park(Duration.ofSeconds(1));
    };
  }

  /** How long students' requests may still come to what is to be stopped. */
  private Duration untilDiverted(Pass pass, Observed o) {
    Instant since = pass.memory().diverted();
    if (since == null) {
      since = o.now();
      Instant now = since;
      pass.memory(memory -> memory.diverted(now));
    }
    return Duration.between(o.now(), since.plus(ingress));
  }

  /** All that it wrote is on the file server: nobody has to wait until the rest is removed. */
  private boolean isSaved(Pass pass, VmRef vm, Binding binding) {
    return agents
        .report(vm, pass.ref())
        .filter(report -> report.epoch() == binding.epoch())
        .filter(report -> report.state() == TeamReport.State.STOPPED)
        .isPresent();
  }

  private Result stopped(Pass pass, UnaryOperator<Memory> how) {
    pass.memory(how);
    steps.reached("team.stopped", pass.ref());
    return Result.go();
  }

  private static void opened(Pass pass, Observed o, RecoveryCause cause) {
    Instant lastSeen = null;
    Instant detected = o.now();
    if (o.machine() instanceof BoundVm.Known(_, VmHealth.Lost(Instant seen, Instant at, _), _)) {
      lastSeen = seen;
      detected = at;
    }
    String from = o.binding().map(Binding::vm).orElse(null);
    Instant alive = lastSeen;
    Instant since = detected;
    pass.status(status -> Timeline.moving(status, cause, from, alive, since));
  }

  private static boolean isGone(BoundVm machine) {
    return switch (machine) {
      case BoundVm.Unbound _ -> false;
      case BoundVm.Missing _ -> true;
      case BoundVm.Known(VmView vm, VmHealth health, _) ->
          vm.quarantined() || vm.left() || health instanceof VmHealth.Lost;
    };
  }

  private static long nextEpoch(Pass pass) {
    LabTeamStatus status = pass.status();
    long highest = status.highestEpoch() == null ? 0 : status.highestEpoch();
    long bound = status.binding() == null ? 0 : status.binding().epoch();
    return Math.max(Math.max(highest, bound), pass.memory().floor()) + 1;
  }

  /** What is left is remembered until its machine confirms that it stopped. */
  private static LabTeamStatus.Builder superseding(LabTeamStatus status, Memory memory) {
    @Nullable Binding old = status.binding();
    List<Binding> superseded = new ArrayList<>();
    if (old != null && !memory.isGone()) {
      superseded.add(old);
    }
    status.superseded().stream()
        .filter(other -> superseded.size() < SUPERSEDED_KEPT)
        .limit(SUPERSEDED_KEPT - superseded.size())
        .forEach(superseded::add);
    return status.toBuilder().superseded(superseded);
  }
}
