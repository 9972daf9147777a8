package dev.crowdlab.team;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.route.Routes;
import dev.crowdlab.route.Routes.Target;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends students to the waiting room beside what else is done for a team: a route that cannot be
 * changed must not hold up a fence. One team's diversion never overtakes its later route, because
 * the route waits for it.
 */
final class Diversions {

  private static final Logger LOG = LoggerFactory.getLogger(Diversions.class);

  private final Routes routes;
  private final Duration bound;
  private final Map<String, FutureTask<Outcome<Routes.Route>>> running = new ConcurrentHashMap<>();

  /**
   * Diverts by these routes.
   *
   * @param bound how long a pass waits for a diversion
   */
  Diversions(Routes routes, Duration bound) {
    this.routes = routes;
    this.bound = bound;
  }

  /** Starts to divert the team, unless it is in that waiting room or on its way there. */
  void start(Pass pass, Routes.Why why) {
    Memory.Routed routed = pass.memory().routed();
    Target target = new Target.WaitingRoom(why);
    long generation = generation(pass.team());
    if (routed != null && routed.target().equals(target) && routed.generation() == generation) {
      return;
    }
    if (!settle(pass, bound)) {
      return;
    }
    LabTeam team = pass.team();
    FutureTask<Outcome<Routes.Route>> task = new FutureTask<>(() -> routes.point(team, target));
    running.put(pass.ref().uid(), task);
    // Remembered as begun: when it fails, the waiting room is missed, and nothing else.
    pass.memory(memory -> memory.routed(new Memory.Routed(target, generation, "")));
    Thread.ofVirtual().name("divert " + pass.ref()).start(task);
  }

  /** Waits for the team's diversion for as long as a route may take. */
  boolean settle(Pass pass) {
    return settle(pass, bound);
  }

  /**
   * Waits for the team's diversion.
   *
   * @return false when it still runs after that time
   */
  boolean settle(Pass pass, Duration atMost) {
    String uid = pass.ref().uid();
    FutureTask<Outcome<Routes.Route>> task = running.get(uid);
    if (task == null) {
      return true;
    }
    try {
      switch (task.get(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
        case Outcome.Done<Routes.Route>(Routes.Route route) ->
            pass.status(status -> status.toBuilder().url(route.url()).build());
        case Outcome.InProgress<Routes.Route> _ -> {}
        case Outcome.Failed<Routes.Route>(Outcome.Failure failure) -> {
          LOG.info("{}: not in the waiting room: {}", pass.ref(), failure.message());
          pass.status(status -> RouteStep.withdrawn(status, failure));
          pass.memory(memory -> memory.routed(null));
        }
      }
      running.remove(uid, task);
      return true;
    } catch (TimeoutException e) {
      LOG.debug("{}: still on the way to the waiting room after {}", pass.ref(), atMost);
      return false;
    } catch (ExecutionException e) {
      LOG.warn("{}: not in the waiting room", pass.ref(), e.getCause());
      running.remove(uid, task);
      pass.memory(memory -> memory.routed(null));
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** What the waiting room tells of a team that is on its way. */
  static Routes.Why why(LabTeamStatus status) {
    return Timeline.isBeingCreated(status) ? Routes.Why.CREATING : Routes.Why.RECOVERING;
  }

  static long generation(LabTeam team) {
    Long generation = team.getMetadata().getGeneration();
    return generation == null ? 0 : generation;
  }
}
