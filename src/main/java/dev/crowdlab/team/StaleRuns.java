package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
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

  /**
   * Examines all that the machine reports, and orders it to stop what is stale. May be called at
   * any time; blocks for as long as the API server takes. When that does not answer, nothing is
   * stopped and the machine is not clean.
   *
   * @return whether the machine is clean now
   */
  public boolean examine(VmRef vm) {
    Optional<Agents.Session> session = agents.session(vm);
    if (session.isEmpty()) {
      examined.remove(vm);
      return false;
    }
    boolean clean = true;
    for (TeamReport report : agents.reports(vm)) {
      if (isStale(vm, report)) {
        TeamRef team = new TeamRef(report.namespace(), report.name(), report.teamUid());
        LOG.info(
            "{}: {} still runs epoch {}, which is over; stopping it", team, vm, report.epoch());
        agents.stop(vm, team, report.epoch());
        clean = false;
      }
    }
    if (clean) {
      examined.put(vm, session.get().connectedSince());
    } else {
      examined.remove(vm);
    }
    return clean;
  }

  /** Whether the machine's present session was examined and has nothing stale left. */
  public boolean isClean(VmRef vm) {
    Instant since = examined.get(vm);
    return since != null
        && agents.session(vm).filter(s -> s.connectedSince().equals(since)).isPresent();
  }

  private boolean isStale(VmRef vm, TeamReport report) {
    Optional<LabTeam> live =
        teams
            .live(report.namespace(), report.name())
            .filter(team -> report.teamUid().equals(team.getMetadata().getUid()));
    if (live.isEmpty()) {
      return true;
    }
    LabTeamStatus status = live.get().getStatus();
    Binding binding = status.binding();
    long bound = binding == null ? 0 : binding.epoch();
    long highest = Math.max(status.highestEpoch() == null ? 0 : status.highestEpoch(), bound);
    // A run above what status knows is not stale: status was rolled back, and the team's own
    // reconciler will find out from the file server.
    boolean here = binding != null && vm.uid().equals(binding.vmUid()) && bound == report.epoch();
    return !here && report.epoch() <= highest;
  }
}
