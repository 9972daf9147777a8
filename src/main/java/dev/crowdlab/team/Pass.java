package dev.crowdlab.team;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.core.TeamRef;
import java.util.function.UnaryOperator;

/**
 * One run over one team: the team as it was last read or written, the status it shall have, and
 * what this process remembers. Used by one thread.
 */
final class Pass {

  private LabTeam team;
  private LabTeamStatus status;
  private Memory memory;

  Pass(LabTeam team) {
    this.team = team;
    this.status = team.getStatus();
    this.memory = Memory.EMPTY;
  }

  /** Goes on from what earlier passes remembered. */
  void recall(Memory remembered) {
    memory = remembered.of(status);
  }

  /** Starts from what stands in the API server. */
  void read(LabTeam live) {
    team = live;
    status = live.getStatus();
    memory = memory.of(status);
  }

  TeamRef ref() {
    return new TeamRef(
        team.getMetadata().getNamespace(),
        team.getMetadata().getName(),
        team.getMetadata().getUid());
  }

  LabTeam team() {
    return team;
  }

  /** The team with the status that it shall have. */
  LabTeam draft() {
    LabTeam draft = new LabTeam();
    draft.setMetadata(team.getMetadata());
    draft.setSpec(team.getSpec());
    draft.setStatus(status);
    return draft;
  }

  LabTeamStatus status() {
    return status;
  }

  void status(UnaryOperator<LabTeamStatus> change) {
    status = change.apply(status);
  }

  Memory memory() {
    return memory;
  }

  void memory(UnaryOperator<Memory> change) {
    memory = change.apply(memory);
  }

  boolean isChanged() {
    return !status.equals(team.getStatus());
  }
}
