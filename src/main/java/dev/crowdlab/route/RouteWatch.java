package dev.crowdlab.route;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crowdlab.api.Names;
import dev.crowdlab.core.TeamRef;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches what {@link KubernetesRoutes} wrote, and wakes the team whose Service, EndpointSlice or
 * Ingress somebody changed or deleted: its next {@link Routes#point} writes it again.
 */
public final class RouteWatch implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(RouteWatch.class);

  /** An event that a relist lost is made up for within this time. */
  private static final Duration RESYNC = Duration.ofMinutes(5);

  private final KubernetesClient client;
  private final WriteMemory memory;
  private final Consumer<TeamRef> drifted;
  private final List<? extends SharedIndexInformer<?>> informers;

  /**
   * @param drifted called on an informer's thread: it passes the news on and returns
   */
  public RouteWatch(KubernetesClient client, KubernetesRoutes routes, Consumer<TeamRef> drifted) {
    this.client = client;
    this.memory = routes.memory();
    this.drifted = drifted;
    this.informers = KubernetesRoutes.KINDS.stream().map(this::informer).toList();
  }

  /** Begins to watch; connects and reconnects by itself. */
  public void start() {
    informers.forEach(SharedIndexInformer::start);
  }

  /** Whether it has seen what stands in the cluster, and is connected. */
  public boolean isWatching() {
    return informers.stream().allMatch(informer -> informer.hasSynced() && informer.isWatching());
  }

  @Override
  public void close() {
    informers.forEach(SharedIndexInformer::stop);
  }

  static WriteMemory.Key key(HasMetadata object) {
    return new WriteMemory.Key(
        object.getKind(), object.getMetadata().getNamespace(), object.getMetadata().getName());
  }

  private <T extends HasMetadata> SharedIndexInformer<T> informer(Class<T> kind) {
    SharedIndexInformer<T> informer =
        client
            .resources(kind)
            .inAnyNamespace()
            .withLabel(Names.MANAGED_BY_LABEL, Names.FIELD_MANAGER)
            .runnableInformer(RESYNC.toMillis());
    informer.exceptionHandler((started, failure) -> true);
    informer.addEventHandler(
        new ResourceEventHandler<T>() {
          @Override
          public void onAdd(T object) {
            observe(object);
          }

          @Override
          public void onUpdate(T before, T object) {
            observe(object);
          }

          @Override
          public void onDelete(T object, boolean finalStateUnknown) {
            memory.observe(key(object), null).ifPresent(team -> wake(team, object));
          }
        });
    return informer;
  }

  private void observe(HasMetadata object) {
    JsonNode actual = client.getKubernetesSerialization().convertValue(object, JsonNode.class);
    memory.observe(key(object), actual).ifPresent(team -> wake(team, object));
  }

  private void wake(TeamRef team, HasMetadata object) {
    LOG.info(
        "{}: its {} {} is not as we wrote it, looking after it",
        team,
        object.getKind(),
        object.getMetadata().getName());
    drifted.accept(team);
  }
}
