package dev.crowdlab.route;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Crds;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.route.RawClient.Answer;
import dev.crowdlab.route.Routes.Target;
import dev.crowdlab.route.Routes.Why;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A student behind a real ingress while the team's route leads from one machine to another. */
@RequiresTestBed
@Timeout(120)
class RouteE2E {

  private static final String NAMESPACE = "route-e2e";
  private static final String HOST = "team-7.route-e2e.example.org";
  private static final Duration SOON = Duration.ofSeconds(30);

  private final KubernetesClient client;
  private final int ingressPort;
  private final InetAddress gateway;
  private final List<AutoCloseable> closing = new ArrayList<>();
  private WaitingRoom room;
  private KubernetesRoutes routes;
  private LabTeam team;
  private RawBackend first;
  private RawBackend second;

  RouteE2E(ControlPlane controlPlane, IngressBed ingress, LabNetwork network) {
    client = controlPlane.admin();
    ingressPort = ingress.address().getPort();
    gateway = InetAddress.ofLiteral(network.gateway());
  }

  @BeforeEach
  void standsOnTheFirstMachine() throws IOException {
    Crds.install(client);
    client
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).endMetadata().build())
        .serverSideApply();
    room =
        new WaitingRoom(
            WaitingRoomSettings.of(new InetSocketAddress(gateway, 0), Duration.ofSeconds(5), 100),
            InstantSource.system(),
            new SimpleMeterRegistry());
    closing.add(room);
    room.start();
    first = machine("first");
    second = machine("second");
    routes =
        new KubernetesRoutes(
            client,
            new RouteSettings(Set.of(), new Endpoint(gateway, room.port())),
            host -> client.resources(LabTeam.class).inAnyNamespace().list().getItems(),
            room);
    team = new LabTeam();
    team.setMetadata(new ObjectMetaBuilder().withNamespace(NAMESPACE).withName("team-7").build());
    team.setSpec(Teams.spec(Teams.access(HOST, "/")));
    team = client.resource(team).create();
    point(exercise(first));
    await().atMost(SOON).ignoreExceptions().until(() -> get().text().startsWith("first"));
  }

  @AfterEach
  void closeAll() throws Exception {
    client.resource(team).delete();
    routes.remove(Teams.ref(team));
    for (AutoCloseable each : closing.reversed()) {
      each.close();
    }
  }

  @Test
  void aPostBetweenMachinesIsHeldAndAnsweredRightByTheSecondOne() throws Exception {
    // given
    point(new Target.WaitingRoom(Why.RECOVERING));
    awaitThatTheWaitingRoomAnswers();
    CompletableFuture<Answer> held =
        CompletableFuture.supplyAsync(() -> ask("POST", "", "what the student wrote"));
    await().atMost(SOON).until(() -> room.reception().waiting() == 1);

    // when
    point(exercise(second));

    // then
    assertThat(held.join().status()).isEqualTo(200);
    assertThat(held.join().text()).isEqualTo("second: what the student wrote");
    assertThat(first.received()).noneMatch(request -> request.requestLine().startsWith("POST"));
    assertThat(second.received().getFirst().header("x-forwarded-for")).isNotEmpty();
    await().atMost(SOON).until(() -> get().text().startsWith("second"));
  }

  @Test
  void aBrowserGetsThePageWhenItTakesLonger() throws Exception {
    point(new Target.WaitingRoom(Why.SUSPENDED));
    awaitThatTheWaitingRoomAnswers();

    Answer page = ask("GET", "Accept: text/html\r\n", "");

    assertThat(page.status()).isEqualTo(503);
    assertThat(page.header("retry-after")).isEqualTo("30");
    assertThat(page.text()).contains("<title>Your exercise is suspended</title>");
  }

  @Test
  void aStudentWhoNeverStopsAskingSeesNoErrorWhileTheRouteMoves() throws Exception {
    // given
    AtomicBoolean goOn = new AtomicBoolean(true);
    ConcurrentLinkedQueue<Answer> answers = new ConcurrentLinkedQueue<>();
    List<CompletableFuture<Void>> students = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      String method = i % 2 == 0 ? "GET" : "POST";
      students.add(
          CompletableFuture.runAsync(
              () -> {
                while (goOn.get()) {
                  answers.add(ask(method, "", "x"));
                }
              },
              Thread::startVirtualThread));
    }

    // when
    for (int i = 0; i < 5; i++) {
      point(new Target.WaitingRoom(Why.RECOVERING));
      await().atMost(SOON).until(() -> room.reception().waiting() > 0);
      point(exercise(i % 2 == 0 ? second : first));
      int before = answers.size();
      await().atMost(SOON).until(() -> answers.size() > before + 20);
    }
    goOn.set(false);
    CompletableFuture.allOf(students.toArray(CompletableFuture<?>[]::new)).join();

    // then
    Map<Integer, Integer> byStatus = new TreeMap<>();
    answers.forEach(answer -> byStatus.merge(answer.status(), 1, Integer::sum));
    assertThat(byStatus).containsOnlyKeys(200);
    assertThat(answers).allMatch(Answer::complete);
  }

  private void awaitThatTheWaitingRoomAnswers() {
    await()
        .atMost(SOON)
        .until(
            () -> !ask("HEAD", "X-CrowdLab-Poll: 1\r\n", "").header("x-crowdlab-notice").isEmpty());
  }

  private void point(Target target) {
    assertThat(routes.point(team, target)).isInstanceOf(Outcome.Done.class);
  }

  private static Target exercise(RawBackend machine) {
    Endpoint endpoint = machine.endpoint();
    return new Target.Exercise(endpoint.host(), endpoint.port());
  }

  private RawBackend machine(String name) throws IOException {
    RawBackend machine =
        new RawBackend(
            gateway,
            (request, out) ->
                RawBackend.respond(
                    out,
                    "HTTP/1.1 200 OK\r\nConnection: close",
                    (name + ": " + new String(request.body(), UTF_8)).getBytes(UTF_8)));
    closing.add(machine);
    return machine;
  }

  private Answer get() {
    return ask("GET", "", "");
  }

  private Answer ask(String method, String headers, String body) {
    try {
      return RawClient.ask(
          ingressPort,
          method
              + " / HTTP/1.1\r\nHost: "
              + HOST
              + "\r\nConnection: close\r\n"
              + headers
              + "Content-Length: "
              + body.length()
              + "\r\n\r\n"
              + body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
