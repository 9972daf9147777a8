package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.route.Routes;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a team as far as it will go now: observe, decide, act one step, and again, until something
 * has to be waited for; then it is written to status. What acts is decided on a live read: a cache
 * may say that there is something to do, never what.
 */
final class TeamLoop {

  private static final Logger LOG = LoggerFactory.getLogger(TeamLoop.class);

  /** More steps than any way from nothing to Ready has; what needs more is given another turn. */
  private static final int MAX_STEPS = 40;

  private static final Duration ANOTHER_TURN = Duration.ofMillis(100);
  private static final Duration REGISTER_AGAIN = Duration.ofSeconds(30);
  private static final Duration WELL_FOR = Duration.ofMinutes(10);

  /** A team that would leave its machine, serves, and has nowhere to go looks again after this. */
  private static final Duration LOOK_FOR_ROOM = Duration.ofSeconds(30);

  private final Teams teams;
  private final Vms vms;
  private final Agents agents;
  private final Observer observer;
  private final Decision decision;
  private final Places places;
  private final Moves moves;
  private final Ahead ahead;
  private final Fences fences;
  private final Runs runs;
  private final RouteStep route;
  private final Diversions diversions;
  private final Removal removal;
  private final Corrections corrections;
  private final Recorder recorder;
  private final StepListener steps;
  private final InstantSource clock;
  private final Map<String, Memory> memories = new ConcurrentHashMap<>();
  private final Set<String> drifted = ConcurrentHashMap.newKeySet();
  private final Set<String> corrected = ConcurrentHashMap.newKeySet();

  TeamLoop(
      Teams teams,
      Vms vms,
      Agents agents,
      Observer observer,
      Decision decision,
      Places places,
      Moves moves,
      Ahead ahead,
      Fences fences,
      Runs runs,
      RouteStep route,
      Diversions diversions,
      Removal removal,
      Corrections corrections,
      Recorder recorder,
      StepListener steps,
      InstantSource clock) {
    this.teams = teams;
    this.vms = vms;
    this.agents = agents;
    this.observer = observer;
    this.decision = decision;
    this.places = places;
    this.moves = moves;
    this.ahead = ahead;
    this.fences = fences;
    this.runs = runs;
    this.route = route;
    this.diversions = diversions;
    this.removal = removal;
    this.corrections = corrections;
    this.recorder = recorder;
    this.steps = steps;
    this.clock = clock;
  }

  /** Somebody changed the team's route: the next turn writes it again. */
  void routeDrifted(TeamRef team) {
    drifted.add(team.uid());
  }

  /** What the team may wait for was corrected: the next turn does not wait for the backoff. */
  void corrected(TeamRef team) {
    corrected.add(team.uid());
  }

  /** The UIDs of the teams that something is remembered of. */
  Set<String> remembered() {
    Set<String> uids = new HashSet<>(memories.keySet());
    uids.addAll(drifted);
    uids.addAll(corrected);
    return uids;
  }

  /** These teams are no more. */
  void forget(Set<String> uids) {
    memories.keySet().removeAll(uids);
    drifted.removeAll(uids);
    corrected.removeAll(uids);
  }

  /** What the caller is to do about the team next. */
  sealed interface Turn {

    /** Nothing before the next event. */
    record Rest() implements Turn {}

    /** Another turn at the latest after this time. */
    record After(Duration delay) implements Turn {}

    /** The team is no more, or may go. */
    record Over() implements Turn {}
  }

  /** Takes the team as far as it will go now. */
  Turn run(LabTeam cached) {
    String uid = cached.getMetadata().getUid();
    Memory remembered = memories.getOrDefault(uid, Memory.EMPTY).stays(false);
    if (drifted.remove(uid)) {
      remembered = remembered.routed(null);
    }
    boolean news = corrected.remove(uid);
    Pass pass = new Pass(cached);
    try {
      Turn turn = run(pass, remembered, news);
      if (turn instanceof Turn.Over) {
        memories.remove(uid);
        return turn;
      }
      memories.put(uid, pass.memory());
      return turn;
    } catch (RuntimeException e) {
      if (news) {
        corrected.add(uid);
      }
      if (!pass.memory().equals(Memory.EMPTY)) {
        memories.put(uid, pass.memory());
      }
      if (!(e instanceof KubernetesClientException)) {
        sayThatWeFailed(pass);
      }
      throw e;
    }
  }

  /** A team that is well stays so: what failed is then beside it. */
  private void sayThatWeFailed(Pass pass) {
    try {
      if (readLive(pass) && !Conditions.holds(pass.status().conditions(), ConditionType.READY)) {
        recorder.write(
            pass,
            new NextStep.AwaitAgent(),
            Problem.of(Reason.INTERNAL_ERROR, "the operator failed; its log says why"));
      }
    } catch (KubernetesClientException e) {
      LOG.debug("{}: not even said that we failed: {}", pass.ref(), e.getMessage());
    }
  }

  private Turn run(Pass pass, Memory remembered, boolean news) {
    boolean live = false;
    if (news || !remembered.isAbout(pass.status())) {
      // The cache lags behind what this process wrote, or somebody else wrote.
      if (!readLive(pass)) {
        return new Turn.Over();
      }
      live = true;
    }
    pass.recall(remembered);
    if (news) {
      corrections.apply(pass);
    }
    for (int step = 0; step < MAX_STEPS; step++) {
      pass.status(status -> Timeline.seen(status, clock.instant()));
      Observed o = observer.observe(pass.draft(), pass.memory());
      NextStep next = decision.decide(o);
      if (next.acts() && !live) {
        if (!readLive(pass)) {
          return new Turn.Over();
        }
        live = true;
        continue;
      }
      if (!(next instanceof NextStep.Move)) {
        places.stays(pass.ref());
        ahead.dismiss(pass);
        if (!(next instanceof NextStep.Unbind)) {
          // A move that was taken back diverted nobody for good: the next one waits for the ingress
          // again.
          pass.memory(memory -> memory.ahead(null));
        }
      }
      if (!(next instanceof NextStep.Hold) && !(next instanceof NextStep.Remove)) {
        confirmStops(pass);
      }
      waitingFor(o, next).ifPresent(why -> diversions.start(pass, why));
      Result result = act(pass, o, next);
      if (result instanceof Result.Park(Duration lookAgain, Problem problem)) {
        diversions.settle(pass, Duration.ZERO);
        Result written = recorder.write(pass, next, problem);
        if (written instanceof Result.Go) {
          return turn(o, lookAgain);
        }
        result = written;
      }
      switch (result) {
        case Result.Go _, Result.Park _ -> {}
        case Result.Over _ -> {
          return new Turn.Over();
        }
        case Result.Again _ -> {
          if (!readLive(pass)) {
            return new Turn.Over();
          }
          live = true;
        }
      }
    }
    LOG.warn("{}: no end after {} steps", pass.ref(), MAX_STEPS);
    return new Turn.After(ANOTHER_TURN);
  }

  private boolean readLive(Pass pass) {
    Optional<LabTeam> live =
        teams
            .live(pass.ref().namespace(), pass.ref().name())
            .filter(team -> pass.ref().uid().equals(team.getMetadata().getUid()));
    live.ifPresent(pass::read);
    return live.isPresent();
  }

  private Result act(Pass pass, Observed o, NextStep next) {
    return switch (next) {
      case NextStep.Hold _, NextStep.Rested _, NextStep.AwaitApproval _ -> Result.rest();
      case NextStep.Remove remove -> removal.remove(pass, o, remove);
      case NextStep.Move move -> moves.move(pass, o, move);
      case NextStep.Unbind unbind -> moves.unbind(pass, o, unbind);
      case NextStep.Seal(long epoch, Reason _) -> fences.seal(pass, o, epoch);
      case NextStep.AwaitAgent _ -> Result.park(Duration.ofSeconds(5));
      case NextStep.BackOff(Instant until) -> Result.park(Duration.between(o.now(), until));
      case NextStep.Fence _ -> {
        runs.makeAhead(pass, o);
        yield fences.fence(pass, o);
      }
      case NextStep.LearnEpoch _ -> fences.learnEpoch(pass, o);
      case NextStep.Run(Memory.Proven proven) -> runs.run(pass, o, proven);
      case NextStep.CountFailure failure -> runs.countFailure(pass, o, failure);
      case NextStep.Route(Routes.Target.Exercise target) -> route.route(pass, o, target);
      case NextStep.ConfirmReady confirm -> confirm(pass, o, confirm);
      case NextStep.Register _ -> register(pass, o);
      case NextStep.Settled _ when pass.memory().stays() -> Result.park(LOOK_FOR_ROOM);
      case NextStep.Settled _ -> settled(pass, o);
    };
  }

  /**
   * Looks again when attempts are forgotten, when what failed beside is tried again, and when an
   * agent has been away for long enough.
   */
  private Result settled(Pass pass, Observed o) {
    Duration wait = RouteStep.forgetAttempts(pass, o, WELL_FOR).orElse(Result.FOREVER);
    Optional<Instant> quiet =
        Optional.ofNullable(pass.memory().quietUntil()).filter(at -> at.isAfter(o.now()));
    return Result.park(
        Stream.concat(quiet.stream(), decision.agentAwaitedUntil(o).stream())
            .map(at -> Duration.between(o.now(), at))
            .reduce(wait, (one, other) -> one.compareTo(other) <= 0 ? one : other));
  }

  private Result confirm(Pass pass, Observed o, NextStep.ConfirmReady confirm) {
    route.confirm(pass, o);
    Result written = recorder.write(pass, confirm, null);
    if (written instanceof Result.Go) {
      LOG.info("{}: ready", pass.ref());
      steps.reached("team.ready", pass.ref());
    }
    return written;
  }

  private Result register(Pass pass, Observed o) {
    Optional<Memory.Proven> proven = fences.repeat(pass, o);
    proven.ifPresent(known -> runs.register(pass, o, known));
    if (proven.isEmpty() || !pass.memory().ordered()) {
      pass.memory(memory -> memory.quietUntil(o.now().plus(REGISTER_AGAIN)));
    }
    return Result.go();
  }

  /** Earlier machines that confirm that they stopped need not be remembered any longer. */
  private void confirmStops(Pass pass) {
    List<Binding> left = new ArrayList<>();
    for (Binding old : pass.status().superseded()) {
      String uid = old.vmUid();
      if (uid == null) {
        continue;
      }
      VmRef vm = new VmRef(pass.ref().namespace(), old.vm(), uid);
      boolean there =
          vms.get(vm.namespace(), vm.name()).filter(view -> view.ref().equals(vm)).isPresent();
      if (there && !(agents.stop(vm, pass.ref(), old.epoch()) instanceof Outcome.Done<Void>)) {
        left.add(old);
      }
    }
    if (left.size() != pass.status().superseded().size()) {
      pass.status(status -> status.toBuilder().superseded(left).build());
    }
  }

  /** Who comes to the URL meanwhile waits in the waiting room; empty while the route stays. */
  private static Optional<Routes.Why> waitingFor(Observed o, NextStep next) {
    return switch (next) {
      case NextStep.Unbind _, NextStep.Seal _, NextStep.Rested _ ->
          Optional.of(Routes.Why.SUSPENDED);
      case NextStep.AwaitApproval _ -> Optional.of(Routes.Why.STALLED);
      case NextStep.BackOff _ when isServing(o) -> Optional.empty();
      case NextStep.AwaitAgent _,
          NextStep.BackOff _,
          NextStep.Fence _,
          NextStep.LearnEpoch _,
          NextStep.Run _,
          NextStep.CountFailure _ ->
          Optional.of(Diversions.why(o.status()));
      case NextStep.Hold _,
          NextStep.Remove _,
          NextStep.Move _,
          NextStep.Route _,
          NextStep.ConfirmReady _,
          NextStep.Register _,
          NextStep.Settled _ ->
          Optional.empty();
    };
  }

  private static boolean isServing(Observed o) {
    return o.memory().routed() != null
        && o.memory().routed().target() instanceof Routes.Target.Exercise;
  }

  private static Turn turn(Observed o, Duration lookAgain) {
    Duration delay = lookAgain;
    Optional<Instant> expiry = Decision.expiry(o).filter(at -> at.isAfter(o.now()));
    if (expiry.isPresent()) {
      Duration left = Duration.between(o.now(), expiry.get());
      delay = left.compareTo(delay) < 0 ? left : delay;
    }
    return delay.compareTo(Result.FOREVER) >= 0 ? new Turn.Rest() : new Turn.After(delay);
  }
}
