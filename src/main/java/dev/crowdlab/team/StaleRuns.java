package dev.crowdlab.team;

import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.hub.Entitlement;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stops what machines run without being entitled to: a machine that was away comes back with runs
 * of earlier epochs, or of teams that are no more. What it is entitled to is read live, never from
 * a cache: stopping a current run because of an old picture would be worse than leaving a stale
 * one, which the fence has already kept from writing.
 *
 * <p>A machine is clean, and may carry new teams, once its present session was examined and
 * confirmed each stop.
 */
public final class StaleRuns {

  private static final Logger LOG = LoggerFactory.getLogger(StaleRuns.class);

  private final Agents agents;
  private final Teams teams;
  private final Map<VmRef, Instant> examined = new ConcurrentHashMap<>();

  public StaleRuns(Agents agents, Teams teams) {
    this.agents = agents;
    this.teams = teams;
  }

  /** What came of an examination. */
  public enum Finding {

    /** Nothing is left that would have to stop. */
    CLEAN,

    /** The same as far as status tells: of a run it does not know yet. To be examined again. */
    CLEAN_SO_FAR,

    /** Something was ordered to stop, or the machine has no session. */
    NOT_CLEAN
  }

  /**
   * Examines all that the machine reports, and orders it to stop what is stale. May be called at
   * any time; blocks for as long as the API server takes. When that does not answer, nothing is
   * stopped and the machine is not clean.
   */
  public Finding examine(VmRef vm) {
    Optional<Agents.Session> session = agents.session(vm);
    if (session.isEmpty()) {
      examined.remove(vm);
      return Finding.NOT_CLEAN;
    }
    Finding finding = Finding.CLEAN;
    for (TeamReport report : agents.reports(vm)) {
      switch (entitlement(vm, report)) {
        case BOUND -> {}
        case UNKNOWN -> finding = finding == Finding.NOT_CLEAN ? finding : Finding.CLEAN_SO_FAR;
        case OVER -> {
          TeamRef team = new TeamRef(report.namespace(), report.name(), report.teamUid());
          LOG.info(
              "{}: {} still runs epoch {}, which is over; stopping it", team, vm, report.epoch());
          agents.stop(vm, team, report.epoch());
          finding = Finding.NOT_CLEAN;
        }
      }
    }
    if (finding == Finding.NOT_CLEAN) {
      examined.remove(vm);
    } else {
      examined.put(vm, session.get().connectedSince());
    }
    return finding;
  }

  /** Whether the machine's present session was examined and has nothing stale left. */
  public boolean isClean(VmRef vm) {
    Instant since = examined.get(vm);
    return since != null
        && agents.session(vm).filter(s -> s.connectedSince().equals(since)).isPresent();
  }

  /**
   * Whether the machine, once more, has something to be examined: what it reports of this team is
   * not what the team is bound to. From the cache, which may be behind: an examination knows
   * better.
   */
  boolean isSuspect(VmRef vm, String namespace, String name) {
    return agents.reports(vm).stream()
        .filter(report -> report.namespace().equals(namespace) && report.name().equals(name))
        .anyMatch(
            report ->
                Entitlement.of(vm, report, teams.cached(namespace).stream()) != Entitlement.BOUND);
  }

  private Entitlement entitlement(VmRef vm, TeamReport report) {
    return Entitlement.of(vm, report, teams.live(report.namespace(), report.name()).stream());
  }
}
