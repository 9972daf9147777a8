package dev.crowdlab.hub;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import java.util.stream.Stream;

/** What a machine's run of a team has to do with what the team's status says. */
public enum Entitlement {

  /** The team is bound to this machine, under this epoch. */
  BOUND,

  /** The team is no more, or is bound elsewhere, under another epoch or not at all. */
  OVER,

  /**
   * The run's epoch is above all that status knows: status was rolled back or emptied. The file
   * server knows better, which the team's reconciler finds out at its next move; until then nobody
   * can tell.
   */
  UNKNOWN;

  /**
   * Judges one run.
   *
   * @param teams all that may be of the report's UID; none is: there is no such team any more
   */
  public static Entitlement of(VmRef vm, TeamReport report, Stream<LabTeam> teams) {
    return teams
        .filter(team -> report.teamUid().equals(team.getMetadata().getUid()))
        .findFirst()
        .map(team -> of(vm, report, team))
        .orElse(OVER);
  }

  private static Entitlement of(VmRef vm, TeamReport report, LabTeam team) {
    LabTeamStatus status = team.getStatus();
    Binding binding = status.binding();
    long bound = binding == null ? 0 : binding.epoch();
    long highest = Math.max(status.highestEpoch() == null ? 0 : status.highestEpoch(), bound);
    if (report.epoch() > highest) {
      // Of a team that rests nobody would ask the file server.
      return binding == null && team.getSpec().suspended() ? OVER : UNKNOWN;
    }
    boolean here = binding != null && vm.uid().equals(binding.vmUid()) && bound == report.epoch();
    return here ? BOUND : OVER;
  }
}
