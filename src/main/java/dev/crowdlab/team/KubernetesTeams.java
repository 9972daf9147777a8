package dev.crowdlab.team;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.SecretRef;
import dev.crowdlab.core.TeamRef;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The LabTeams of an API server; the cached ones from the controller's own informer. */
public final class KubernetesTeams implements Teams {

  private static final String BY_VM = "crowdlab-vm";
  private static final String BY_SECRET = "crowdlab-pull-secret";
  private static final int NOT_FOUND = 404;
  private static final int CONFLICT = 409;

  private final KubernetesClient client;
  private volatile @Nullable IndexerResourceCache<LabTeam> cache;

  public KubernetesTeams(KubernetesClient client) {
    this.client = requireNonNull(client, "client");
  }

  /** From now on the cached methods answer; before, they know of no team. */
  void serveFrom(IndexerResourceCache<LabTeam> teams) {
    teams.addIndexer(BY_VM, KubernetesTeams::vms);
    teams.addIndexer(BY_SECRET, KubernetesTeams::secrets);
    cache = teams;
  }

  @Override
  public Optional<LabTeam> live(String namespace, String name) {
    return Optional.ofNullable(
        client.resources(LabTeam.class).inNamespace(namespace).withName(name).get());
  }

  @Override
  public List<LabTeam> listLive() {
    // Without a resourceVersion: the API server answers from a quorum, not from its watch cache.
    return client.resources(LabTeam.class).inAnyNamespace().list().getItems();
  }

  @Override
  public Written write(LabTeam team) {
    try {
      return new Stands(
          client
              .resources(LabTeam.class)
              .inNamespace(team.getMetadata().getNamespace())
              .resource(team)
              .updateStatus());
    } catch (KubernetesClientException e) {
      return switch (e.getCode()) {
        case CONFLICT -> new Conflict();
        case NOT_FOUND -> new Gone();
        default -> throw e;
      };
    }
  }

  @Override
  public List<LabTeam> cached(String namespace) {
    IndexerResourceCache<LabTeam> teams = cache;
    return teams == null ? List.of() : teams.list(namespace, team -> true).toList();
  }

  @Override
  public List<LabTeam> cached() {
    IndexerResourceCache<LabTeam> teams = cache;
    return teams == null ? List.of() : teams.list().toList();
  }

  @Override
  public List<TeamRef> boundTo(String vmUid) {
    return indexed(BY_VM, vmUid);
  }

  @Override
  public List<TeamRef> pullingWith(String namespace, String secret) {
    return indexed(BY_SECRET, namespace + "/" + secret);
  }

  private List<TeamRef> indexed(String index, String key) {
    IndexerResourceCache<LabTeam> teams = cache;
    return teams == null
        ? List.of()
        : teams.byIndex(index, key).stream().map(KubernetesTeams::ref).toList();
  }

  private static List<String> secrets(LabTeam team) {
    SecretRef ref = team.getSpec().exercise().imagePullSecretRef();
    return ref == null ? List.of() : List.of(team.getMetadata().getNamespace() + "/" + ref.name());
  }

  private static List<String> vms(LabTeam team) {
    Binding binding = team.getStatus().binding();
    List<Binding> bindings = new ArrayList<>(team.getStatus().superseded());
    if (binding != null) {
      bindings.add(binding);
    }
    return bindings.stream()
        .flatMap(one -> Stream.ofNullable(one.vmUid()))
        .filter(Objects::nonNull)
        .distinct()
        .toList();
  }

  static TeamRef ref(LabTeam team) {
    return new TeamRef(
        team.getMetadata().getNamespace(),
        team.getMetadata().getName(),
        team.getMetadata().getUid());
  }
}
