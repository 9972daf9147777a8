package dev.crowdlab.team;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import org.jspecify.annotations.Nullable;

/** Writes a pass's status, and tells of what changed. */
final class Recorder {

  private final Teams teams;
  private final Observer observer;
  private final StatusFactory factory;
  private final Announcer announcer;

  Recorder(Teams teams, Observer observer, StatusFactory factory, Announcer announcer) {
    this.teams = teams;
    this.observer = observer;
    this.factory = factory;
    this.announcer = announcer;
  }

  /**
   * Completes the status with conditions and phase, and replaces it when it differs.
   *
   * @param step the step that it is to describe
   * @param problem what that step met
   */
  Result write(Pass pass, NextStep step, @Nullable Problem problem) {
    LabTeam draft = pass.draft();
    LabTeamStatus completed =
        factory.complete(
            observer.observe(draft, pass.memory().of(draft.getStatus())), step, problem);
    pass.status(status -> completed);
    if (!pass.isChanged()) {
      return Result.go();
    }
    LabTeam before = pass.team();
    return switch (teams.write(pass.draft())) {
      case Teams.Stands(LabTeam team) -> {
        pass.read(team);
        announcer.announce(before.getStatus(), team);
        yield Result.go();
      }
      case Teams.Conflict _ -> new Result.Again();
      case Teams.Gone _ -> new Result.Over();
    };
  }
}
