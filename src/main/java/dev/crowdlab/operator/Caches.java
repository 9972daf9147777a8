package dev.crowdlab.operator;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.team.VmView;
import dev.crowdlab.team.Vms;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What one kind's reconciler needs to know of the other kind, and of other namespaces: informers of
 * the whole cluster.
 */
final class Caches implements Vms, AutoCloseable {

  /** An event that a relist lost is made up for within this time. */
  private static final Duration RESYNC = Duration.ofMinutes(5);

  private static final Duration SYNC_BOUND = Duration.ofMinutes(1);
  private static final String BY_NAMESPACE = "crowdlab-namespace";
  private static final String BY_HOST = "crowdlab-host";

  private final SharedIndexInformer<ContributedVM> machines;
  private final SharedIndexInformer<LabTeam> teams;

  Caches(KubernetesClient client) {
    machines =
        client.resources(ContributedVM.class).inAnyNamespace().runnableInformer(RESYNC.toMillis());
    machines.addIndexers(Map.of(BY_NAMESPACE, vm -> List.of(vm.getMetadata().getNamespace())));
    teams = client.resources(LabTeam.class).inAnyNamespace().runnableInformer(RESYNC.toMillis());
    teams.addIndexers(
        Map.of(BY_HOST, team -> List.of(team.getSpec().access().host().toLowerCase(Locale.ROOT))));
  }

  /**
   * Fills the caches, and keeps them.
   *
   * @throws IllegalStateException when the API server does not answer in time
   */
  void start(
      ResourceEventHandler<ContributedVM> machineEvents, ResourceEventHandler<LabTeam> teamEvents) {
    machines.addEventHandler(machineEvents);
    teams.addEventHandler(teamEvents);
    await(machines);
    await(teams);
  }

  @Override
  public Optional<VmView> get(String namespace, String name) {
    return Optional.ofNullable(machines.getIndexer().getByKey(namespace + "/" + name))
        .map(VmView::of);
  }

  @Override
  public List<VmView> in(String namespace) {
    return machines.getIndexer().byIndex(BY_NAMESPACE, namespace).stream().map(VmView::of).toList();
  }

  /** The teams that use a host (in lower case), in whatever namespace. */
  Collection<LabTeam> usersOf(String host) {
    return teams.getIndexer().byIndex(BY_HOST, host);
  }

  @Override
  public void close() {
    machines.stop();
    teams.stop();
  }

  private static void await(SharedIndexInformer<?> informer) {
    // Once it runs, it reconnects for ever.
    informer.exceptionHandler((started, failure) -> started);
    try {
      informer.start().toCompletableFuture().get(SYNC_BOUND.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("the API server does not answer; are the CRDs installed?", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while starting", e);
    }
  }
}
