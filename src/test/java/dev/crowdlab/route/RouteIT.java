package dev.crowdlab.route;

import static dev.crowdlab.route.Teams.access;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.Crds;
import dev.crowdlab.api.DocumentedEdits;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.route.Routes.Target;
import dev.crowdlab.route.Routes.Why;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only a real API server shows: ownership of fields, what is written, drift, garbage. */
@RequiresTestBed(labHosts = false)
class RouteIT {

  private static final String NAMESPACE = "route-it";
  private static final String OTHER_NAMESPACE = "route-it-other";
  private static final Target ONE = new Target.Exercise("10.77.1.2", 20_001);
  private static final Target TWO = new Target.Exercise("10.77.1.3", 20_002);
  private static final Target WAITING = new Target.WaitingRoom(Why.RECOVERING);
  private static final Duration SOON = Duration.ofSeconds(20);

  private final KubernetesClient client;
  private final BlockingQueue<TeamRef> drifted = new LinkedBlockingQueue<>(1_000);
  private final List<RouteWatch> watches = new ArrayList<>();
  private KubernetesRoutes routes;
  private int seen;

  RouteIT(ControlPlane controlPlane) {
    client = controlPlane.admin();
  }

  @BeforeAll
  static void install(ControlPlane controlPlane) {
    Crds.install(controlPlane.admin());
    for (String namespace : List.of(NAMESPACE, OTHER_NAMESPACE)) {
      controlPlane
          .admin()
          .resource(
              new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build())
          .serverSideApply();
    }
  }

  @BeforeEach
  void makeRoutes() {
    routes = newRoutes();
  }

  @AfterEach
  void cleanUp() {
    watches.forEach(RouteWatch::close);
    for (String namespace : List.of(NAMESPACE, OTHER_NAMESPACE)) {
      client.resources(LabTeam.class).inNamespace(namespace).delete();
      for (Class<? extends HasMetadata> kind : KubernetesRoutes.KINDS) {
        client.resources(kind).inNamespace(namespace).delete();
      }
    }
  }

  @Test
  void aRouteStandsAndSaysItsUrl() {
    LabTeam team = create("team-7", access("stands.example.org", "/x"));

    Outcome<Routes.Route> outcome = routes.point(team, ONE);

    assertThat(outcome).isEqualTo(Outcome.done(new Routes.Route("http://stands.example.org/x")));
    EndpointSlice slice = get(EndpointSlice.class, "lab-team-7");
    assertThat(slice.getEndpoints().getFirst().getAddresses()).containsExactly("10.77.1.2");
    assertThat(slice.getPorts().getFirst().getPort()).isEqualTo(20_001);
    assertThat(get(Service.class, "lab-team-7").getSpec().getSelector()).isNullOrEmpty();
    assertThat(get(Ingress.class, "lab-team-7").getSpec().getIngressClassName())
        .isEqualTo("contour");
    for (HasMetadata each : all()) {
      assertThat(each.getMetadata().getManagedFields())
          .as(each.getKind())
          .singleElement()
          .satisfies(
              fields -> {
                assertThat(fields.getManager()).isEqualTo("crowdlab");
                assertThat(fields.getOperation()).isEqualTo("Apply");
              });
    }
  }

  @Test
  void aSecondCallWritesNothingAlsoFromAFreshlyStartedOperator() {
    LabTeam team = create("team-7", access("twice.example.org", "/"));
    routes.point(team, ONE);
    List<String> before = versions();

    routes.point(team, ONE);
    assertThat(versions()).isEqualTo(before);
    newRoutes().point(team, ONE);
    assertThat(versions()).isEqualTo(before);
  }

  @Test
  void aNewTargetIsOneWriteOfTheSlice() {
    LabTeam team = create("team-7", access("target.example.org", "/"));
    routes.point(team, ONE);
    Map<String, String> before = versionsByKind();

    routes.point(team, TWO);

    Map<String, String> after = versionsByKind();
    assertThat(after.get("Service")).isEqualTo(before.get("Service"));
    assertThat(after.get("Ingress")).isEqualTo(before.get("Ingress"));
    assertThat(Long.parseLong(after.get("EndpointSlice")))
        .isGreaterThan(Long.parseLong(before.get("EndpointSlice")));
    EndpointSlice slice = get(EndpointSlice.class, "lab-team-7");
    assertThat(slice.getMetadata().getGeneration()).isEqualTo(2);
    assertThat(slice.getEndpoints()).hasSize(1);
    assertThat(slice.getEndpoints().getFirst().getAddresses()).containsExactly("10.77.1.3");
  }

  @Test
  void aMachineWithAnIpv6AddressIsReachedAndLeftAgain() {
    LabTeam team = create("team-7", access("v6.example.org", "/"));
    routes.point(team, ONE);

    routes.point(team, new Target.Exercise("2001:db8::7", 20_003));
    assertThat(slices()).containsExactly("lab-team-7.v6");
    assertThat(get(EndpointSlice.class, "lab-team-7.v6").getAddressType()).isEqualTo("IPv6");

    newRoutes().point(team, ONE);
    assertThat(slices()).containsExactly("lab-team-7");
  }

  @Test
  void betweenMachinesTheSliceNamesTheWaitingRoomOrNobody() {
    LabTeam team = create("team-7", access("between.example.org", "/"));
    routes.point(team, ONE);

    routes.point(team, WAITING);
    assertThat(get(EndpointSlice.class, "lab-team-7").getEndpoints().getFirst().getAddresses())
        .containsExactly("10.77.0.1");

    KubernetesRoutes withoutRoom =
        new KubernetesRoutes(client, new RouteSettings(Set.of(), null), this::users, Lobby.none());
    assertThat(withoutRoom.point(team, WAITING)).isInstanceOf(Outcome.Done.class);
    assertThat(get(EndpointSlice.class, "lab-team-7").getEndpoints()).isNullOrEmpty();
  }

  @Test
  void whatOthersAddStays() {
    LabTeam team = create("team-7", access("others.example.org", "/"));
    routes.point(team, ONE);
    edit(Ingress.class, ingress -> annotate(ingress, "cert-manager.io/by-hand", "yes"));
    edit(EndpointSlice.class, slice -> annotate(slice, "someone.example.org/note", "kept"));

    newRoutes().point(team, TWO);

    assertThat(get(Ingress.class, "lab-team-7").getMetadata().getAnnotations())
        .containsEntry("cert-manager.io/by-hand", "yes");
    assertThat(get(EndpointSlice.class, "lab-team-7").getMetadata().getAnnotations())
        .containsEntry("someone.example.org/note", "kept");
    assertThat(get(EndpointSlice.class, "lab-team-7").getEndpoints().getFirst().getAddresses())
        .containsExactly("10.77.1.3");
  }

  @Test
  void everyEditThatReroutesIsInTheIngressAndStudentsStayWhereTheyAre() {
    Map<String, String> edits =
        Map.of(
            "spec.access.host", "rerouted.example.org",
            "spec.access.path", "/rerouted",
            "spec.access.ingressClassName", "nginx",
            "spec.access.tlsSecretName", "rerouted-tls",
            "spec.access.annotations", "{cert-manager.io/issuer: rerouted-ca}");
    assertThat(DocumentedEdits.of("LabTeam"))
        .filteredOn(row -> row.effect().equals("reroute"))
        .extracting(DocumentedEdits.Row::place)
        .containsExactlyInAnyOrderElementsOf(edits.keySet());
    LabTeam team = create("team-7", access("first.example.org", "/"));
    routes.point(team, ONE);
    Map<String, String> before = versionsByKind();

    for (Map.Entry<String, String> edit : edits.entrySet()) {
      team.setSpec(DocumentedEdits.edited(team.getSpec(), edit.getKey(), edit.getValue()));
      routes.point(team, ONE);
    }

    Ingress ingress = get(Ingress.class, "lab-team-7");
    assertThat(ingress.getSpec().getIngressClassName()).isEqualTo("nginx");
    assertThat(ingress.getSpec().getRules())
        .singleElement()
        .satisfies(
            rule -> {
              assertThat(rule.getHost()).isEqualTo("rerouted.example.org");
              assertThat(rule.getHttp().getPaths().getFirst().getPath()).isEqualTo("/rerouted");
            });
    assertThat(ingress.getSpec().getTls())
        .singleElement()
        .satisfies(tls -> assertThat(tls.getSecretName()).isEqualTo("rerouted-tls"));
    assertThat(ingress.getMetadata().getAnnotations())
        .containsOnly(Map.entry("cert-manager.io/issuer", "rerouted-ca"));
    assertThat(versionsByKind())
        .containsEntry("Service", before.get("Service"))
        .containsEntry("EndpointSlice", before.get("EndpointSlice"));
  }

  @Test
  void whatTheSpecTakesBackIsTakenBack() {
    AccessSpec first =
        access("back.example.org", "/", "tls", Map.of("cert-manager.io/issuer", "ca"));
    LabTeam team = create("team-7", first);
    routes.point(team, ONE);
    assertThat(get(Ingress.class, "lab-team-7").getSpec().getTls()).hasSize(1);

    team.setSpec(Teams.spec(access("back.example.org", "/y")));
    routes.point(team, ONE);

    Ingress ingress = get(Ingress.class, "lab-team-7");
    assertThat(ingress.getSpec().getTls()).isNullOrEmpty();
    assertThat(ingress.getMetadata().getAnnotations()).isNullOrEmpty();
    assertThat(ingress.getSpec().getRules().getFirst().getHttp().getPaths().getFirst().getPath())
        .isEqualTo("/y");
  }

  @Test
  void anAnnotationThatIsNotAllowedIsSaidAndTheRestStands() {
    AccessSpec access =
        access(
            "annotated.example.org",
            "/",
            null,
            Map.of("cert-manager.io/issuer", "ca", "nginx.org/server-snippets", "return 200;"));
    LabTeam team = create("team-7", access);

    Outcome<Routes.Route> outcome = routes.point(team, ONE);

    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> {
              assertThat(failed.failure().reason()).isEqualTo(Reason.ANNOTATION_NOT_ALLOWED);
              assertThat(failed.failure().message()).contains("nginx.org/server-snippets");
            });
    assertThat(get(Ingress.class, "lab-team-7").getMetadata().getAnnotations())
        .containsOnly(Map.entry("cert-manager.io/issuer", "ca"));
  }

  @Test
  void driftWakesTheTeamAndIsHealedByTheNextCall() {
    LabTeam team = create("team-7", access("drift.example.org", "/"));
    watch();
    routes.point(team, ONE);

    edit(
        EndpointSlice.class,
        slice -> slice.getEndpoints().getFirst().setAddresses(List.of("10.77.9.9")));
    awaitDrift(team);
    routes.point(team, ONE);
    assertThat(get(EndpointSlice.class, "lab-team-7").getEndpoints().getFirst().getAddresses())
        .containsExactly("10.77.1.2");

    client.resource(get(Service.class, "lab-team-7")).delete();
    awaitDrift(team);
    routes.point(team, ONE);
    assertThat(get(Service.class, "lab-team-7")).isNotNull();

    edit(
        Ingress.class,
        ingress -> ingress.getSpec().getRules().getFirst().setHost("stolen.example.org"));
    awaitDrift(team);
    routes.point(team, ONE);
    assertThat(get(Ingress.class, "lab-team-7").getSpec().getRules().getFirst().getHost())
        .isEqualTo("drift.example.org");

    edit(Ingress.class, ingress -> ingress.getMetadata().setLabels(Map.of()));
    awaitDrift(team);
    routes.point(team, ONE);
    assertThat(get(Ingress.class, "lab-team-7").getMetadata().getLabels())
        .containsEntry(Names.MANAGED_BY_LABEL, "crowdlab");
  }

  @Test
  void whatOthersAddAndWhatWeWriteWakesNobody() {
    LabTeam team = create("team-7", access("quiet.example.org", "/"));
    watch();
    routes.point(team, ONE);
    routes.point(team, TWO);
    edit(Ingress.class, ingress -> annotate(ingress, "someone.example.org/note", "kept"));

    // A watch is in order: what it says of this change it says after all of the above.
    edit(
        Ingress.class,
        ingress -> ingress.getSpec().getRules().getFirst().setHost("stolen.example.org"));
    awaitDrift(team);
    edit(
        EndpointSlice.class,
        slice -> slice.getEndpoints().getFirst().setAddresses(List.of("10.77.9.9")));
    awaitDrift(team);

    assertThat(seen).isEqualTo(2);
  }

  @Test
  void aRemovedRouteIsGoneAtOnceAndAnotherTeamsIsNot() {
    LabTeam team = create("team-7", access("gone.example.org", "/"));
    LabTeam other = create("team-8", access("stays.example.org", "/"));
    routes.point(team, ONE);
    routes.point(other, TWO);

    assertThat(routes.remove(Teams.ref(team))).isEqualTo(Outcome.done());
    assertThat(routes.remove(Teams.ref(team))).isEqualTo(Outcome.done());

    assertThat(all()).extracting(each -> each.getMetadata().getName()).containsOnly("lab-team-8");
    assertThat(all()).hasSize(3);
    assertThat(routes.point(team, ONE)).isInstanceOf(Outcome.Done.class);
    assertThat(all()).hasSize(6);
  }

  @Test
  void aDeletedTeamsRouteIsCollected() {
    LabTeam team = create("team-7", access("collected.example.org", "/"));
    routes.point(team, ONE);

    client.resource(team).delete();

    await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> assertThat(all()).isEmpty());
  }

  @Test
  void theYoungerUserOfAHostLosesItsIngressAndGetsItWhenTheHostIsFree() {
    LabTeam elder = create("elder", access("claimed.example.org", "/"));
    LabTeam younger = create(OTHER_NAMESPACE, "younger", access("before.example.org", "/"));
    routes.point(elder, ONE);
    routes.point(younger, TWO);

    younger = edited(younger, access("claimed.example.org", "/z"));
    elder = routed(elder);
    Outcome<Routes.Route> refused = routes.point(younger, TWO);

    assertThat(refused)
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> assertThat(failed.failure().reason()).isEqualTo(Reason.HOST_TAKEN));
    assertThat(client.network().v1().ingresses().inNamespace(OTHER_NAMESPACE).list().getItems())
        .isEmpty();
    assertThat(routes.point(elder, ONE)).isInstanceOf(Outcome.Done.class);

    edited(elder, access("moved.example.org", "/"));
    assertThat(routes.point(younger, TWO))
        .isEqualTo(Outcome.done(new Routes.Route("http://claimed.example.org/z")));
    assertThat(client.network().v1().ingresses().inNamespace(OTHER_NAMESPACE).list().getItems())
        .hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"7", "007.bond", "a.b-c.0", "LONGEST"})
  void everyNameThatKubernetesAllowsWorks(String name) {
    String longest =
        String.join(".", "a".repeat(63), "0".repeat(63), "c".repeat(63), "d".repeat(61));
    LabTeam team =
        create(name.equals("LONGEST") ? longest : name, access("named.example.org", "/"));

    assertThat(routes.point(team, ONE)).isInstanceOf(Outcome.Done.class);
    assertThat(routes.point(team, new Target.Exercise("2001:db8::7", 20_003)))
        .isInstanceOf(Outcome.Done.class);
    assertThat(all()).hasSize(3);
  }

  @Test
  void aNamespaceThatIsGoneIsSaidAndTriedAgain() {
    LabTeam team = Teams.team("route-it-nowhere", "team-7", access("nowhere.example.org", "/"));

    assertThat(routes.point(team, ONE))
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> {
              assertThat(failed.failure().reason()).isEqualTo(Reason.ROUTE_FAILED);
              assertThat(failed.failure().kind()).isEqualTo(Outcome.Failure.Kind.TRANSIENT);
              assertThat(failed.failure().message()).contains("route-it-nowhere");
            });
  }

  private KubernetesRoutes newRoutes() {
    RouteSettings settings =
        new RouteSettings(Set.of("cert-manager.io/*"), Endpoint.of("10.77.0.1", 8090));
    return new KubernetesRoutes(client, settings, this::users, Lobby.none());
  }

  private List<LabTeam> users(String host) {
    return client.resources(LabTeam.class).inAnyNamespace().list().getItems();
  }

  /** Returns when the informers have seen the cluster. */
  private void watch() {
    RouteWatch watch = new RouteWatch(client, routes, drifted::add);
    watches.add(watch);
    watch.start();
    await().atMost(SOON).until(watch::isWatching);
  }

  private void awaitDrift(LabTeam team) {
    await().atMost(SOON).until(() -> !drifted.isEmpty());
    assertThat(drifted).allMatch(Teams.ref(team)::equals);
    seen += drifted.drainTo(new ArrayList<>());
  }

  private LabTeam create(String name, AccessSpec access) {
    return create(NAMESPACE, name, access);
  }

  private LabTeam create(String namespace, String name, AccessSpec access) {
    LabTeam team = new LabTeam();
    team.setMetadata(new ObjectMetaBuilder().withNamespace(namespace).withName(name).build());
    team.setSpec(Teams.spec(access));
    return client.resource(team).create();
  }

  private LabTeam edited(LabTeam team, AccessSpec access) {
    return client
        .resource(team)
        .edit(
            fresh -> {
              fresh.setSpec(Teams.spec(access));
              return fresh;
            });
  }

  private LabTeam routed(LabTeam team) {
    return client
        .resource(team)
        .editStatus(
            fresh -> {
              Teams.routed(fresh);
              return fresh;
            });
  }

  private <T extends HasMetadata> void edit(Class<T> kind, Consumer<T> change) {
    client
        .resources(kind)
        .inNamespace(NAMESPACE)
        .withName("lab-team-7")
        .edit(
            object -> {
              change.accept(object);
              return object;
            });
  }

  private static void annotate(HasMetadata object, String key, String value) {
    object.getMetadata().setAnnotations(new HashMap<>(Map.of(key, value)));
  }

  private <T extends HasMetadata> T get(Class<T> kind, String name) {
    return client.resources(kind).inNamespace(NAMESPACE).withName(name).get();
  }

  private List<HasMetadata> all() {
    List<HasMetadata> all = new ArrayList<>();
    for (Class<? extends HasMetadata> kind : KubernetesRoutes.KINDS) {
      all.addAll(client.resources(kind).inNamespace(NAMESPACE).list().getItems());
    }
    return all;
  }

  private List<String> slices() {
    return all().stream()
        .filter(EndpointSlice.class::isInstance)
        .map(slice -> slice.getMetadata().getName())
        .toList();
  }

  private List<String> versions() {
    return all().stream().map(each -> each.getMetadata().getResourceVersion()).toList();
  }

  private Map<String, String> versionsByKind() {
    Map<String, String> versions = new HashMap<>();
    all().forEach(each -> versions.put(each.getKind(), each.getMetadata().getResourceVersion()));
    return versions;
  }
}
