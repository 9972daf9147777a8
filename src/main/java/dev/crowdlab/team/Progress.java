package dev.crowdlab.team;

import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.TeamStep;
import dev.crowdlab.core.StepListener;
import java.time.InstantSource;
import java.util.Locale;

/** Notes the steps of a creation or recovery as they are reached, and tells of each once. */
final class Progress {

  private final StepListener listener;
  private final InstantSource clock;

  Progress(StepListener listener, InstantSource clock) {
    this.listener = listener;
    this.clock = clock;
  }

  /** The step was reached, unless it was before. */
  void reached(Pass pass, TeamStep step) {
    LabTeamStatus before = pass.status();
    pass.status(status -> Timeline.reached(status, step, clock.instant()));
    if (!before.equals(pass.status())) {
      listener.reached("team." + step.name().toLowerCase(Locale.ROOT), pass.ref());
    }
  }
}
