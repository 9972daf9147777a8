package dev.crowdlab.vm;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.Names;
import io.fabric8.kubernetes.api.model.Secret;
import io.javaoperatorsdk.operator.api.config.informer.FieldSelectorBuilder;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The Secrets that machines name. Those of the right type are cached, so that a machine can be
 * helped while the API server is away; all others are looked up, and {@link #changed} tells when.
 */
final class SshSecrets {

  private static final String CACHED = "ssh-secrets";
  private static final String BY_SECRET = "secret";

  private final SimpleInboundEventSource<ContributedVM> news =
      new SimpleInboundEventSource<>("secret-news");
  private volatile @Nullable IndexerResourceCache<ContributedVM> machines;

  List<EventSource<?, ContributedVM>> sources(EventSourceContext<ContributedVM> context) {
    IndexerResourceCache<ContributedVM> cache = context.getPrimaryCache();
    cache.addIndexer(BY_SECRET, vm -> List.of(id(vm).toString()));
    machines = cache;
    InformerEventSource<Secret, ContributedVM> cached =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Secret.class, ContributedVM.class)
                .withName(CACHED)
                .withFieldSelector(
                    new FieldSelectorBuilder().withField("type", Names.SSH_SECRET_TYPE).build())
                .withSecondaryToPrimaryMapper(
                    secret -> naming(cache, ResourceID.fromResource(secret)))
                .withPrimaryToSecondaryMapper((ContributedVM vm) -> Set.of(id(vm)))
                .build(),
            context);
    return List.of(cached, news);
  }

  /** Wakes the machines that name this Secret, whatever its type. */
  void changed(ResourceID secret) {
    IndexerResourceCache<ContributedVM> cache = machines;
    if (cache != null && news.isRunning()) {
      naming(cache, secret).forEach(news::propagateEvent);
    }
  }

  /** The Secret that the machine names. */
  static Optional<Secret> of(ContributedVM vm, Context<ContributedVM> context) {
    return context
        .getSecondaryResource(Secret.class, CACHED)
        // A Secret of another type is not in the cache, and must be told from a missing one.
        .or(() -> live(vm, context));
  }

  private static Optional<Secret> live(ContributedVM vm, Context<ContributedVM> context) {
    ResourceID id = id(vm);
    return Optional.ofNullable(
        context
            .getClient()
            .secrets()
            .inNamespace(vm.getMetadata().getNamespace())
            .withName(id.getName())
            .get());
  }

  private static Set<ResourceID> naming(
      IndexerResourceCache<ContributedVM> machines, ResourceID secret) {
    return machines.byIndex(BY_SECRET, secret.toString()).stream()
        .map(ResourceID::fromResource)
        .collect(Collectors.toUnmodifiableSet());
  }

  private static ResourceID id(ContributedVM vm) {
    return new ResourceID(
        vm.getSpec().ssh().credentialsSecretRef().name(), vm.getMetadata().getNamespace());
  }
}
