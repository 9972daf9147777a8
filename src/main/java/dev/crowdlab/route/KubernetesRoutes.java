package dev.crowdlab.route;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Routes as a Service, an EndpointSlice and an Ingress, written by server-side apply under our
 * field manager: what others add to them stays.
 *
 * <p>The first call for a team in a process writes everything once; later calls write what differs,
 * or what {@link RouteWatch} saw to have drifted.
 */
public final class KubernetesRoutes implements Routes {

  private static final Logger LOG = LoggerFactory.getLogger(KubernetesRoutes.class);

  private static final int UNPROCESSABLE = 422;

  /** What a team's route is made of. */
  static final List<Class<? extends HasMetadata>> KINDS =
      List.of(Ingress.class, EndpointSlice.class, Service.class);

  private final KubernetesClient client;
  private final RouteSettings settings;
  private final HostClaims.HostUsers hostUsers;
  private final Lobby lobby;
  private final WriteMemory memory = new WriteMemory();

  /**
   * @param client with a request timeout: it is the deadline of every write
   * @param hostUsers who uses a host, from a cache of all namespaces
   * @param lobby hears where each team's requests go
   */
  public KubernetesRoutes(
      KubernetesClient client,
      RouteSettings settings,
      HostClaims.HostUsers hostUsers,
      Lobby lobby) {
    this.client = client;
    this.settings = settings;
    this.hostUsers = hostUsers;
    this.lobby = lobby;
  }

  WriteMemory memory() {
    return memory;
  }

  @Override
  public Outcome<Route> point(LabTeam team, Target target) {
    TeamRef ref = ref(team);
    String host = team.getSpec().access().host().toLowerCase(Locale.ROOT);
    try {
      Optional<Outcome.Failure> refusal = HostClaims.refusal(team, hostUsers.of(host));
      if (refusal.isPresent()) {
        lobby.gone(ref);
        keepAbsent(ref, RouteObjects.ingress(team, settings::allows));
        return new Outcome.Failed<>(refusal.get());
      }
      write(team, ref, endpoint(team, ref, host, target));
    } catch (KubernetesClientException e) {
      return failed(e);
    }
    List<String> refused =
        team.getSpec().access().annotations().keySet().stream()
            .filter(key -> !settings.allows(key))
            .sorted()
            .toList();
    if (!refused.isEmpty()) {
      return Outcome.refused(
          Reason.ANNOTATION_NOT_ALLOWED,
          "The installation does not allow these annotations, the rest of the route stands: "
              + String.join(", ", refused));
    }
    return Outcome.done(new Route(RouteUrl.of(team.getSpec().access())));
  }

  @Override
  public Outcome<Void> remove(TeamRef team) {
    lobby.gone(team);
    memory.forget(team);
    try {
      for (Class<? extends HasMetadata> kind : KINDS) {
        // One by one: deleting by label is another right, which reaches further.
        client
            .resources(kind)
            .inNamespace(team.namespace())
            .withLabel(Names.TEAM_UID_LABEL, team.uid())
            .list()
            .getItems()
            .forEach(object -> client.resource(object).delete());
      }
      return Outcome.done();
    } catch (KubernetesClientException e) {
      return failed(e);
    }
  }

  /** The lobby hears of it first: held requests need not wait for the API server. */
  private @Nullable Endpoint endpoint(LabTeam team, TeamRef ref, String host, Target target) {
    String path = team.getSpec().access().path();
    return switch (target) {
      case Target.Exercise(String address, int port) -> {
        Endpoint exercise = Endpoint.of(address, port);
        lobby.ready(ref, host, path, exercise);
        yield exercise;
      }
      case Target.WaitingRoom(Why why) -> {
        lobby.waiting(ref, host, path, why);
        yield settings.waitingRoom();
      }
    };
  }

  private void write(LabTeam team, TeamRef ref, @Nullable Endpoint endpoint) {
    boolean ipv6 = endpoint != null && endpoint.isIpv6();
    keep(ref, RouteObjects.service(team));
    keep(ref, RouteObjects.slice(team, ipv6, endpoint));
    // The new family first: for a moment both stand, rather than none.
    keepAbsent(ref, RouteObjects.slice(team, !ipv6, null));
    keep(ref, RouteObjects.ingress(team, settings::allows));
  }

  private void keep(TeamRef team, HasMetadata wanted) {
    WriteMemory.Key key = RouteWatch.key(wanted);
    JsonNode json = client.getKubernetesSerialization().convertValue(wanted, JsonNode.class);
    if (memory.standsAs(key, json)) {
      return;
    }
    WriteMemory.Write write = memory.begin(key, team, json);
    client.resource(wanted).fieldManager(Names.FIELD_MANAGER).forceConflicts().serverSideApply();
    memory.settle(key, write);
    LOG.debug("{}: wrote {} {}", team, key.kind(), key.name());
  }

  private void keepAbsent(TeamRef team, HasMetadata unwanted) {
    WriteMemory.Key key = RouteWatch.key(unwanted);
    if (memory.standsAs(key, null)) {
      return;
    }
    WriteMemory.Write write = memory.begin(key, team, null);
    HasMetadata actual = client.resource(unwanted).get();
    if (actual != null && isOf(team, actual)) {
      client.resource(actual).delete();
      LOG.debug("{}: deleted {} {}", team, key.kind(), key.name());
    }
    memory.settle(key, write);
  }

  private static boolean isOf(TeamRef team, HasMetadata object) {
    var labels = object.getMetadata().getLabels();
    return labels != null && team.uid().equals(labels.get(Names.TEAM_UID_LABEL));
  }

  private static TeamRef ref(LabTeam team) {
    return new TeamRef(
        team.getMetadata().getNamespace(),
        team.getMetadata().getName(),
        team.getMetadata().getUid());
  }

  private static <T> Outcome<T> failed(KubernetesClientException e) {
    Status status = e.getStatus();
    String said = status == null ? null : status.getMessage();
    if (e.getCode() < HttpURLConnection.HTTP_BAD_REQUEST
        || e.getCode() >= HttpURLConnection.HTTP_INTERNAL_ERROR
        || said == null) {
      return Outcome.later(Reason.ROUTE_FAILED, "The API server could not be reached.");
    }
    String message = "The API server refused the route: " + said;
    return e.getCode() == UNPROCESSABLE
        ? Outcome.refused(Reason.ROUTE_FAILED, message)
        : Outcome.later(Reason.ROUTE_FAILED, message);
  }
}
