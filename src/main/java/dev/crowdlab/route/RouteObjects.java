package dev.crowdlab.route;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressBuilder;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Builds what stands in the cluster for a team's route, holding exactly the fields that we own: it
 * is what server-side apply sends. An HTTPRoute would be one more builder beside {@link #ingress},
 * on the same Service.
 */
final class RouteObjects {

  /** One name for all: an edit of {@code access.port} then changes nothing between the objects. */
  static final String PORT_NAME = "http";

  static final int SERVICE_PORT = 80;

  /** Keeps the control plane's own EndpointSlice controllers away. */
  private static final String SLICE_MANAGED_BY = "endpointslice.kubernetes.io/managed-by";

  private static final String SLICE_SERVICE = "kubernetes.io/service-name";

  private RouteObjects() {}

  /** A Service without a selector: its endpoints are those that we write. */
  static Service service(LabTeam team) {
    return new ServiceBuilder()
        .withMetadata(metadata(team, RouteNames.of(team.getMetadata().getName())).build())
        .withNewSpec()
        .withType("ClusterIP")
        .withIpFamilyPolicy("PreferDualStack")
        .addNewPort()
        .withName(PORT_NAME)
        .withProtocol("TCP")
        .withPort(SERVICE_PORT)
        .endPort()
        .endSpec()
        .build();
  }

  /**
   * The EndpointSlice of one address family.
   *
   * @param endpoint where requests go; null for a slice without endpoints
   */
  static EndpointSlice slice(LabTeam team, boolean ipv6, @Nullable Endpoint endpoint) {
    String teamName = team.getMetadata().getName();
    EndpointSliceBuilder slice =
        new EndpointSliceBuilder()
            .withMetadata(
                metadata(team, ipv6 ? RouteNames.ipv6(teamName) : RouteNames.of(teamName))
                    .addToLabels(SLICE_SERVICE, RouteNames.of(teamName))
                    .addToLabels(SLICE_MANAGED_BY, Names.GROUP)
                    .build())
            .withAddressType(ipv6 ? "IPv6" : "IPv4");
    if (endpoint != null) {
      slice
          .addNewEndpoint()
          .addToAddresses(endpoint.host())
          .withNewConditions()
          .withReady(true)
          .endConditions()
          .endEndpoint()
          .addNewPort()
          .withName(PORT_NAME)
          .withProtocol("TCP")
          .withPort(endpoint.port())
          .endPort();
    }
    return slice.build();
  }

  /**
   * The Ingress of the team's host and path.
   *
   * @param allowed which of the spec's annotations it may carry; the others are left out
   */
  static Ingress ingress(LabTeam team, Predicate<String> allowed) {
    AccessSpec access = team.getSpec().access();
    String host = access.host().toLowerCase(Locale.ROOT);
    Map<String, String> annotations = new TreeMap<>(access.annotations());
    annotations.keySet().removeIf(allowed.negate());
    IngressBuilder ingress =
        new IngressBuilder()
            .withMetadata(
                metadata(team, RouteNames.of(team.getMetadata().getName()))
                    .withAnnotations(annotations.isEmpty() ? null : annotations)
                    .build())
            .withNewSpec()
            .withIngressClassName(access.ingressClassName())
            .addNewRule()
            .withHost(host)
            .withNewHttp()
            .addNewPath()
            .withPath(access.path())
            .withPathType("Prefix")
            .withNewBackend()
            .withNewService()
            .withName(RouteNames.of(team.getMetadata().getName()))
            .withNewPort()
            .withName(PORT_NAME)
            .endPort()
            .endService()
            .endBackend()
            .endPath()
            .endHttp()
            .endRule()
            .endSpec();
    if (access.tlsSecretName() != null) {
      ingress
          .editSpec()
          .addNewTl()
          .addToHosts(host)
          .withSecretName(access.tlsSecretName())
          .endTl()
          .endSpec();
    }
    return ingress.build();
  }

  private static ObjectMetaBuilder metadata(LabTeam team, String name) {
    ObjectMeta owner = team.getMetadata();
    return new ObjectMetaBuilder()
        .withNamespace(owner.getNamespace())
        .withName(name)
        .addToLabels(Names.MANAGED_BY_LABEL, Names.FIELD_MANAGER)
        .addToLabels(Names.TEAM_UID_LABEL, owner.getUid())
        .addNewOwnerReference()
        .withApiVersion(team.getApiVersion())
        .withKind(team.getKind())
        .withName(owner.getName())
        .withUid(owner.getUid())
        .withController(true)
        .endOwnerReference();
  }
}
