package dev.crowdlab.experiment;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.Creation;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.api.StepTime;
import dev.crowdlab.api.TeamStep;
import dev.crowdlab.core.Times;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** What an operator would write. */
final class Statuses {

  static final Instant START = Instant.parse("2026-11-28T12:00:00Z");

  private Statuses() {}

  static Instant at(long millis) {
    return START.plusMillis(millis);
  }

  static String text(long millis) {
    return Times.format(at(millis));
  }

  static Creation creation() {
    return new Creation(
        text(0),
        "0.900s",
        List.of(
            new StepTime(TeamStep.DETECTED, text(0)),
            new StepTime(TeamStep.CHOSEN, text(100)),
            new StepTime(TeamStep.FENCED, text(250)),
            new StepTime(TeamStep.ATTACHED, text(600)),
            new StepTime(TeamStep.STARTED, text(800)),
            new StepTime(TeamStep.ROUTED, text(880))));
  }

  /** Alive until 10,000 ms, detected at 11,300, Ready at 12,000. */
  static Recovery recovery(RecoveryCause cause, String from, String to, long epoch) {
    return new Recovery(
        cause,
        from,
        to,
        epoch,
        text(10_000),
        text(11_300),
        List.of(
            new StepTime(TeamStep.DETECTED, text(11_300)),
            new StepTime(TeamStep.CHOSEN, text(11_350)),
            new StepTime(TeamStep.FENCED, text(11_400)),
            new StepTime(TeamStep.ATTACHED, text(11_700)),
            new StepTime(TeamStep.STARTED, text(11_900)),
            new StepTime(TeamStep.ROUTED, text(11_950))),
        "2.000s");
  }

  static LabTeamStatus ready(String vm, long epoch, Recovery... recoveries) {
    List<Recovery> newestFirst = new ArrayList<>(List.of(recoveries)).reversed();
    return LabTeamStatus.EMPTY.toBuilder()
        .conditions(
            List.of(
                new ConditionBuilder()
                    .withType(ConditionType.READY)
                    .withStatus("True")
                    .withReason("Ready")
                    .build()))
        .binding(new Binding(vm, "uid-of-" + vm, epoch, null, null, null, 1, null))
        .creation(creation())
        .url("http://team.example.org/")
        .recoveries(newestFirst)
        .recoveryCount(recoveries.length)
        .build();
  }
}
