package dev.crowdlab.vm;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
import dev.crowdlab.core.EventRecorder;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.hub.Agents;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings contributed machines to where they can carry teams, keeps watch over them, and gives them
 * back clean.
 */
@ControllerConfiguration(
    name = "contributedvm",
    finalizerName = Names.FINALIZER,
    generationAwareEventProcessing = false)
public final class ContributedVMReconciler
    implements Reconciler<ContributedVM>, Cleaner<ContributedVM> {

  private static final Logger LOG = LoggerFactory.getLogger(ContributedVMReconciler.class);

  private static final Duration HUB_INTERVAL = Duration.ofMillis(500);

  private final StatusWriter writer = new StatusWriter();
  private final VmLifecycle lifecycle;
  private final VmRelease release;
  private final Enrolment enrolment;
  private final EventSource<?, ContributedVM> agentEvents;
  private final SshSecrets secrets = new SshSecrets();
  private @Nullable InformerEventSource<LabTeam, ContributedVM> teams;

  /**
   * @param steps hears of each boundary between two steps of a machine
   * @param agentEvents wakes a machine's reconciliation when its agent comes, goes or is suspected
   */
  public ContributedVMReconciler(
      VmAccess access,
      Enrolment enrolment,
      Judge judge,
      Agents agents,
      EventRecorder events,
      InstantSource clock,
      RandomGenerator random,
      VmSettings settings,
      StepListener steps,
      EventSource<?, ContributedVM> agentEvents) {
    VmObserver observer = new VmObserver(agents, enrolment, clock);
    Integration integration =
        new Integration(access, enrolment, judge, steps, clock, random, settings);
    this.lifecycle =
        new VmLifecycle(observer, integration, agents, judge, events, steps, clock, settings);
    this.release =
        new VmRelease(
            observer, lifecycle, access, agents, enrolment, judge, events, steps, clock, settings);
    this.enrolment = requireNonNull(enrolment, "enrolment");
    this.agentEvents = requireNonNull(agentEvents, "agentEvents");
  }

  @Override
  public UpdateControl<ContributedVM> reconcile(
      ContributedVM cached, Context<ContributedVM> context) {
    return UpdateControl.<ContributedVM>noUpdate()
        .rescheduleAfter(enrolment.isOpen() ? pass(cached, context) : HUB_INTERVAL);
  }

  private Duration pass(ContributedVM cached, Context<ContributedVM> context) {
    ContributedVM vm = writer.freshest(cached);
    VmSurroundings around = surroundings(vm, context);
    Duration again = lifecycle.pass(vm, around, sink(context));
    return release.leave(writer.freshest(cached), around, sink(context)).orElse(again);
  }

  /** The framework tries again, later and later; the status says so meanwhile. */
  @Override
  public ErrorStatusUpdateControl<ContributedVM> updateErrorStatus(
      ContributedVM vm, Context<ContributedVM> context, Exception failure) {
    if (!(failure instanceof KubernetesClientException)) {
      ContributedVM now = writer.freshest(vm);
      try {
        writer.write(context.getClient(), now, lifecycle.internalError(now));
      } catch (KubernetesClientException e) {
        LOG.debug(
            "{}/{}: not even said",
            now.getMetadata().getNamespace(),
            now.getMetadata().getName(),
            e);
      }
    }
    return ErrorStatusUpdateControl.noStatusUpdate();
  }

  @Override
  public DeleteControl cleanup(ContributedVM cached, Context<ContributedVM> context) {
    ContributedVM vm = writer.freshest(cached);
    return release
        .pass(vm, surroundings(vm, context), sink(context))
        .map(again -> DeleteControl.noFinalizerRemoval().rescheduleAfter(again))
        .orElseGet(
            () -> {
              if (writer.isAhead(cached)) {
                // The framework takes the finalizer off the object as the cache has it, and fails
                // when the status has changed since.
                return DeleteControl.noFinalizerRemoval().rescheduleAfter(VmRelease.AT_ONCE);
              }
              writer.forget(vm);
              return DeleteControl.defaultDelete();
            });
  }

  @Override
  public List<EventSource<?, ContributedVM>> prepareEventSources(
      EventSourceContext<ContributedVM> context) {
    teams =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(LabTeam.class, ContributedVM.class)
                .withName("bound-teams")
                .withSecondaryToPrimaryMapper(ContributedVMReconciler::machinesOf)
                .build(),
            context);
    List<EventSource<?, ContributedVM>> sources = new ArrayList<>(secrets.sources(context));
    sources.add(teams);
    sources.add(agentEvents);
    return sources;
  }

  /** A Secret came, changed or went: the machines that name it are looked at. */
  public void secretChanged(ResourceID secret) {
    secrets.changed(secret);
  }

  private VmSurroundings surroundings(ContributedVM vm, Context<ContributedVM> context) {
    return new VmSurroundings(
        context.getPrimaryCache().list().toList(),
        SshSecrets.of(vm, context),
        // Not only those that the mapper leads here: it goes by status, which may have forgotten.
        requireNonNull(teams, "teams")
            .list(vm.getMetadata().getNamespace(), team -> true)
            .toList());
  }

  private StatusSink sink(Context<ContributedVM> context) {
    return (ContributedVM vm, ContributedVMStatus status) ->
        writer.write(context.getClient(), vm, status);
  }

  /** The machines that carry the team, or carried it and have not confirmed that they stopped. */
  private static Set<ResourceID> machinesOf(LabTeam team) {
    return Stream.concat(
            Stream.ofNullable(team.getStatus().binding()), team.getStatus().superseded().stream())
        .map(Binding::vm)
        .map(vm -> new ResourceID(vm, team.getMetadata().getNamespace()))
        .collect(java.util.stream.Collectors.toUnmodifiableSet());
  }
}
