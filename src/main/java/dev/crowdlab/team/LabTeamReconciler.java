package dev.crowdlab.team;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.MaxReconciliationInterval;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Keeps each LabTeam on a machine, with one writer at most: hands every event to the {@link
 * TeamLoop}. It writes status itself, because a binding must stand before anything is done for it.
 */
@ControllerConfiguration(
    name = "labteam",
    finalizerName = Names.FINALIZER,
    generationAwareEventProcessing = false,
    maxReconciliationInterval =
        @MaxReconciliationInterval(interval = 5, timeUnit = TimeUnit.MINUTES))
public final class LabTeamReconciler implements Reconciler<LabTeam>, Cleaner<LabTeam> {

  private final TeamLoop loop;
  private final TeamEvents events;

  LabTeamReconciler(TeamLoop loop, TeamEvents events) {
    this.loop = requireNonNull(loop, "loop");
    this.events = requireNonNull(events, "events");
  }

  @Override
  public List<EventSource<?, LabTeam>> prepareEventSources(EventSourceContext<LabTeam> context) {
    return List.of(events.source(context.getPrimaryCache()));
  }

  @Override
  public UpdateControl<LabTeam> reconcile(LabTeam team, Context<LabTeam> context) {
    return switch (loop.run(team)) {
      case TeamLoop.Turn.Rest _, TeamLoop.Turn.Over _ -> UpdateControl.noUpdate();
      case TeamLoop.Turn.After after ->
          UpdateControl.<LabTeam>noUpdate().rescheduleAfter(after.delay());
    };
  }

  @Override
  public DeleteControl cleanup(LabTeam team, Context<LabTeam> context) {
    return switch (loop.run(team)) {
      case TeamLoop.Turn.Over _ -> {
        events.roomChanged(team.getMetadata().getNamespace());
        yield DeleteControl.defaultDelete();
      }
      case TeamLoop.Turn.Rest _ -> DeleteControl.noFinalizerRemoval();
      case TeamLoop.Turn.After after ->
          DeleteControl.noFinalizerRemoval().rescheduleAfter(after.delay().toMillis());
    };
  }
}
