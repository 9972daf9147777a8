package dev.crowdlab.hub;

import dev.crowdlab.protocol.FromAgent.TeamReport;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one session said about teams: the last report of each. A VM can report only so many teams:
 * what is beyond the bound is not kept. Guarded by its owner.
 */
final class Reports {

  /** More teams than any VM can carry. */
  static final int MAX_TEAMS = 512;

  private final Map<String, TeamReport> byTeam = new LinkedHashMap<>();

  Reports(Collection<TeamReport> first) {
    first.forEach(this::put);
  }

  /** Keeps the report; false when it says nothing new or there is no room. */
  boolean put(TeamReport report) {
    if (!byTeam.containsKey(report.teamUid()) && byTeam.size() >= MAX_TEAMS) {
      return false;
    }
    return !report.equals(byTeam.put(report.teamUid(), report));
  }

  /** Drops what was reported of the team at or below the epoch. */
  void gone(String teamUid, long epoch) {
    TeamReport report = byTeam.get(teamUid);
    if (report != null && report.epoch() <= epoch) {
      byTeam.remove(teamUid);
    }
  }

  @Nullable TeamReport get(String teamUid) {
    return byTeam.get(teamUid);
  }

  List<TeamReport> all() {
    return List.copyOf(byTeam.values());
  }
}
