package dev.crowdlab.team;

import static dev.crowdlab.team.Samples.suspended;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.Crds;
import dev.crowdlab.api.DocumentedEdits;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryCause;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.EventRecorder;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.hub.FakeAgents;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.route.FakeRoutes;
import dev.crowdlab.storage.FakeWorkspaces;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.NonNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.javaoperatorsdk.operator.Operator;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The reconciler under JOSDK on a real API server; machines, file server and routes are fakes. */
@RequiresTestBed(labHosts = false)
class LabTeamIT {

  private static final Duration SOON = Duration.ofSeconds(20);
  private static int number;

  private final KubernetesClient client;
  private final String namespace = "lab-team-it-" + ++number;
  private final FakeAgents agents = new FakeAgents(Clock.systemUTC()).obedient(true);
  private final FakeWorkspaces workspaces = new FakeWorkspaces();
  private final FakeRoutes routes = new FakeRoutes();
  private final List<String> events = new CopyOnWriteArrayList<>();
  private final List<String> steps = new CopyOnWriteArrayList<>();
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  LabTeamIT(ControlPlane controlPlane) {
    client = controlPlane.admin();
  }

  @BeforeAll
  static void install(ControlPlane controlPlane) {
    Crds.install(controlPlane.admin());
  }

  @BeforeEach
  void begin() {
    client
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build())
        .create();
    start();
  }

  @AfterEach
  void end() throws Exception {
    stop();
    client
        .resources(LabTeam.class)
        .inNamespace(namespace)
        .list()
        .getItems()
        .forEach(
            team -> merge(team.getMetadata().getName(), "{\"metadata\":{\"finalizers\":null}}"));
    client.namespaces().withName(namespace).delete();
  }

  @Test
  void aTeamIsCreatedRecoveredAndDeleted() {
    VmRef alice = machine("alice-1", "Alice");
    create("team-7");

    LabTeam ready = awaitReady("team-7", status -> true);

    assertThat(ready.getMetadata().getFinalizers()).contains(Names.FINALIZER);
    assertThat(ready.getStatus().binding().vm()).isEqualTo("alice-1");
    assertThat(ready.getStatus().creation().steps()).hasSize(6);

    VmRef bob = machine("bob-1", "Bob");
    locked(() -> agents.lose(alice));
    LabTeam recovered = awaitReady("team-7", status -> status.binding().vm().equals("bob-1"));
    assertThat(recovered.getStatus().binding().epoch()).isEqualTo(2);
    assertThat(recovered.getStatus().recoveries().getFirst().cause())
        .isEqualTo(RecoveryCause.VM_LOST);
    assertThat(steps).containsSubsequence("team.bound", "team.fenced", "team.routed", "team.ready");

    teams().withName("team-7").delete();
    await().atMost(SOON).until(() -> teams().withName("team-7").get() == null);
    assertThat(locked(() -> agents.reports(bob))).isEmpty();
    assertThat(workspaces.changes()).last().asString().endsWith("retired");
    assertThat(routes.changes()).last().asString().endsWith("removed");
  }

  @Test
  void aTeamThatWaitsForRoomIsPlacedWhenAMachineComes() {
    create("team-7");
    await()
        .atMost(SOON)
        .until(() -> reason("team-7", ConditionType.PLACED).equals(Reason.NO_CAPACITY.value()));

    machine("alice-1", "Alice");

    awaitReady("team-7", status -> true);
  }

  @Test
  void aRecoveringTeamThatFoundNoRoomMovesWhenAMachineComes() {
    VmRef alice = machine("alice-1", "Alice");
    create("team-7");
    awaitReady("team-7", status -> true);
    locked(() -> agents.lose(alice));
    await()
        .atMost(SOON)
        .until(() -> reason("team-7", ConditionType.PLACED).equals(Reason.NO_CAPACITY.value()));

    machine("bob-1", "Bob");

    awaitReady("team-7", status -> status.binding().vm().equals("bob-1"));
  }

  @Test
  void aReturningMachineStopsItsStaleRunAndThenCarriesTeamsAgain() {
    VmRef alice = machine("alice-1", "Alice");
    create("team-7");
    LabTeam first = awaitReady("team-7", status -> true);
    TeamReport stale =
        locked(
            () -> agents.report(alice, new TeamRef(namespace, "team-7", uid(first))).orElseThrow());
    machine("bob-1", "Bob");
    locked(() -> agents.lose(alice));
    awaitReady("team-7", status -> status.binding().vm().equals("bob-1"));

    locked(() -> agents.connect(alice, List.of(stale)));

    await().atMost(SOON).until(() -> locked(() -> agents.reports(alice)).isEmpty());
    await()
        .atMost(SOON)
        .until(() -> teams().withName("team-7").get().getStatus().superseded().isEmpty());
    create("team-8");
    LabTeam second = awaitReady("team-8", status -> true);
    assertThat(second.getStatus().binding().vm()).isEqualTo("alice-1");
  }

  @Test
  void writersInBetweenDelayNothingForLongAndBreakNothing() throws Exception {
    VmRef alice = machine("alice-1", "Alice");
    create("team-7");
    awaitReady("team-7", status -> true);
    machine("bob-1", "Bob");
    AtomicBoolean stop = new AtomicBoolean();
    Thread writer =
        Thread.ofVirtual()
            .start(
                () -> {
                  for (int i = 0; !stop.get(); i++) {
                    merge("team-7", "{\"metadata\":{\"labels\":{\"n\":\"%d\"}}}".formatted(i));
                  }
                });

    locked(() -> agents.lose(alice));
    LabTeam recovered = awaitReady("team-7", status -> status.binding().vm().equals("bob-1"));

    stop.set(true);
    assertThat(writer.join(SOON)).isTrue();
    assertThat(recovered.getStatus().recoveryCount()).isEqualTo(1);
    assertThat(workspaces.standing(TeamBed.SETTINGS.workspace(recovered)).orElseThrow().epoch())
        .isEqualTo(recovered.getStatus().binding().epoch());
  }

  @Test
  void aWriteWithAnOldVersionIsAConflictAndOneOfNothingSaysSo() {
    LabTeam old = create("team-7");
    KubernetesTeams port = new KubernetesTeams(client);
    awaitPhase("team-7");

    old.setStatus(LabTeamStatus.EMPTY.toBuilder().highestEpoch(99L).build());

    assertThat(port.write(old)).isInstanceOf(Teams.Conflict.class);
    LabTeam gone = Samples.team("never");
    gone.getMetadata().setNamespace(namespace);
    assertThat(port.write(gone)).isInstanceOf(Teams.Gone.class);
  }

  @Test
  void annotationsAndEditsAreActedOnAtOnce() {
    machine("alice-1", "Alice");
    create("team-7");
    awaitReady("team-7", status -> true);

    edit("team-7", team -> team.getMetadata().setAnnotations(Map.of(Names.REBIND, "1")));
    awaitReady("team-7", status -> status.binding().epoch() == 2);

    edit("team-7", team -> team.setSpec(suspended(team.getSpec(), true, null)));
    await()
        .atMost(SOON)
        .until(
            () -> teams().withName("team-7").get().getStatus(),
            status ->
                Conditions.holds(status.conditions(), ConditionType.READY)
                    && Conditions.hasReason(
                        status.conditions(), ConditionType.READY, Reason.SUSPENDED)
                    && status.binding() == null);

    edit("team-7", team -> team.setSpec(suspended(team.getSpec(), false, null)));
    awaitReady("team-7", status -> status.binding() != null);
  }

  @Test
  void aTeamThatIsPausedFromTheStartSaysSoAndBeginsWhenItMay() {
    machine("alice-1", "Alice");
    create("team-7", Map.of(Names.PAUSED, Names.TRUE));
    await()
        .atMost(SOON)
        .until(() -> reason("team-7", ConditionType.READY).equals(Reason.PAUSED.value()));
    assertThat(teams().withName("team-7").get().getStatus().binding()).isNull();

    edit("team-7", team -> team.getMetadata().setAnnotations(Map.of()));

    awaitReady("team-7", status -> true);
  }

  @Test
  void anEditOfAMachineThatMakesRoomIsSeenAtOnceByTheTeamsThatWait() {
    machine("alice-1", "Alice");
    editMachine("alice-1", "spec.schedulable", "false");
    create("team-7");
    await()
        .atMost(SOON)
        .until(() -> reason("team-7", ConditionType.PLACED).equals(Reason.NO_CAPACITY.value()));

    editMachine("alice-1", "spec.schedulable", "true");

    awaitReady("team-7", status -> true);
  }

  @Test
  void aRestartedOperatorLeavesWhatRunsAndRemembersWhatIsTaken() throws Exception {
    machine("alice-1", "Alice");
    create("team-7");
    LabTeam before = awaitReady("team-7", status -> true);

    stop();
    start();
    create("team-8");
    LabTeam second = awaitReady("team-8", status -> true);

    LabTeam after = teams().withName("team-7").get();
    assertThat(after.getStatus()).isEqualTo(before.getStatus());
    assertThat(second.getStatus().binding().port())
        .isNotEqualTo(after.getStatus().binding().port());
    assertThat(workspaces.changes()).hasSize(2);
  }

  @Test
  void aTeamThatLeavesItsMachineMakesRoomForOneThatWaits() {
    machine("alice-1", "Alice");
    create("team-1");
    create("team-2");
    awaitReady("team-1", status -> true);
    awaitReady("team-2", status -> true);
    create("team-3");
    await()
        .atMost(SOON)
        .until(
            () ->
                Conditions.hasReason(
                    teams().withName("team-3").get().getStatus().conditions(),
                    ConditionType.PLACED,
                    Reason.NO_CAPACITY));

    edit("team-1", team -> team.setSpec(suspended(team.getSpec(), true, null)));

    // Long before it would have looked by itself.
    awaitReady("team-3", status -> status.binding() != null);
  }

  @Test
  void aTeamWhoseHostAnotherNamespacesTeamHasGetsItWithinSecondsWhenThatOneIsDeleted() {
    String elsewhere = namespace + "-elsewhere";
    client
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(elsewhere).endMetadata().build())
        .create();
    LabTeam elder = new LabTeam();
    elder.getMetadata().setNamespace(elsewhere);
    elder.getMetadata().setName("elder");
    elder.setSpec(Samples.spec("team-7", "localhost/exercise:1"));
    LabTeam created = client.resource(elder).create();
    String host = created.getSpec().access().host();
    created.setStatus(LabTeamStatus.EMPTY.toBuilder().url("http://%s/".formatted(host)).build());
    client.resource(created).updateStatus();
    routes.hostUsers(name -> client.resources(LabTeam.class).inAnyNamespace().list().getItems());
    machine("alice-1", "Alice");
    create("team-7");
    await()
        .atMost(SOON)
        .until(() -> reason("team-7", ConditionType.READY).equals(Reason.HOST_TAKEN.value()));
    // Until it has failed so often that by itself it would look again after ten seconds.
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> teams().withName("team-7").get().getStatus().backoff().attempts() >= 6);

    client.resource(created).delete();

    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(() -> assertThat(reason("team-7", ConditionType.READY)).isEqualTo("Ready"));
    assertThat(teams().withName("team-7").get().getStatus().url())
        .isEqualTo("http://%s/".formatted(host));
    client.namespaces().withName(elsewhere).delete();
  }

  @Test
  void aNamespaceIsDeletedWithAllThatIsInIt() {
    VmRef alice = machine("alice-1", "Alice");
    // As its own reconciler has it: a machine's object stays until the machine is clean.
    finalizers("alice-1", List.of(Names.FINALIZER));
    create("team-7");
    create("team-8");
    awaitReady("team-7", status -> true);
    awaitReady("team-8", status -> true);

    client.namespaces().withName(namespace).delete();

    await().atMost(Duration.ofSeconds(60)).until(() -> teams().list().getItems().isEmpty());
    assertThat(locked(() -> agents.reports(alice))).isEmpty();
    finalizers("alice-1", List.of());
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> gone(client.namespaces().withName(namespace).get()));
  }

  private void finalizers(String machine, List<String> finalizers) {
    client
        .resources(ContributedVM.class)
        .inNamespace(namespace)
        .withName(machine)
        .edit(
            vm -> {
              vm.getMetadata().setFinalizers(finalizers);
              return vm;
            });
  }

  // ---- the operator

  private void start() {
    ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
    parts.push(executor::shutdownNow);
    SharedIndexInformer<ContributedVM> informer =
        client.resources(ContributedVM.class).inNamespace(namespace).runnableInformer(0);
    TeamModule module =
        TeamModule.of(
            TeamBed.SETTINGS,
            new KubernetesTeams(client),
            new InformedVms(informer),
            new KubernetesPullSecrets(client),
            lockedAgents(),
            workspaces,
            routes,
            recorder(),
            (step, team) -> steps.add(step),
            executor,
            Clock.systemUTC(),
            new Random(1));
    locked(() -> agents.listen(module.events()));
    informer.addEventHandler(module.events());
    SharedIndexInformer<LabTeam> everywhere =
        client.resources(LabTeam.class).inAnyNamespace().runnableInformer(0);
    everywhere.addEventHandler(new HostNews(module.events()::hostFreed));
    parts.push(everywhere::stop);
    everywhere.start().toCompletableFuture().join();
    parts.push(informer::stop);
    informer.start().toCompletableFuture().join();
    Operator operator =
        new Operator(
            overrider ->
                overrider
                    .withKubernetesClient(client)
                    .withCloseClientOnStop(false)
                    .withUseSSAToPatchPrimaryResource(false)
                    .withExecutorService(Executors.newVirtualThreadPerTaskExecutor()));
    operator.register(module.reconciler(), overrider -> overrider.settingNamespace(namespace));
    operator.start();
    parts.push(operator::stop);
    // As the hub would: agents connect again.
    informer.getIndexer().list().stream().map(VmView::ref).forEach(module.events()::examine);
  }

  private void stop() throws Exception {
    while (!parts.isEmpty()) {
      parts.pop().close();
    }
  }

  private EventRecorder recorder() {
    return (about, type, reason, note) -> events.add(reason + ": " + note);
  }

  private record InformedVms(SharedIndexInformer<ContributedVM> informer) implements Vms {

    @Override
    public Optional<VmView> get(String namespace, String name) {
      return Optional.ofNullable(informer.getIndexer().getByKey(namespace + "/" + name))
          .map(VmView::of);
    }

    @Override
    public List<VmView> in(String namespace) {
      return informer.getIndexer().list().stream().map(VmView::of).toList();
    }
  }

  /** The fake is made for one thread; here there are many. */
  private Agents lockedAgents() {
    return (Agents)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Agents.class},
            (proxy, method, arguments) -> {
              synchronized (agents) {
                try {
                  return method.invoke(agents, arguments);
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              }
            });
  }

  private void locked(Runnable action) {
    synchronized (agents) {
      action.run();
    }
  }

  private <T> T locked(Supplier<T> action) {
    synchronized (agents) {
      return action.get();
    }
  }

  // ---- what users do and see

  private VmRef machine(String name, String contributor) {
    ContributedVM sample = Samples.vm(name, contributor, 2);
    ContributedVM vm = new ContributedVM();
    vm.getMetadata().setNamespace(namespace);
    vm.getMetadata().setName(name);
    vm.setSpec(sample.getSpec());
    ContributedVM created = client.resource(vm).create();
    VmRef ref = VmView.ref(created);
    locked(
        () -> {
          agents.watch(ref, new InetSocketAddress("10.77.1.2", 22), true, _ -> false);
          agents.connect(ref);
        });
    created.setStatus(
        sample.getStatus().toBuilder()
            .conditions(
                Conditions.merge(List.of(), sample.getStatus().conditions(), Clock.systemUTC(), 1L))
            .build());
    client.resource(created).updateStatus();
    return ref;
  }

  private void editMachine(String name, String place, String value) {
    client
        .resources(ContributedVM.class)
        .inNamespace(namespace)
        .withName(name)
        .edit(
            vm -> {
              vm.setSpec(DocumentedEdits.edited(vm.getSpec(), place, value));
              return vm;
            });
  }

  private LabTeam create(String name) {
    return create(name, Map.of());
  }

  private LabTeam create(String name, Map<String, String> annotations) {
    LabTeam team = new LabTeam();
    team.getMetadata().setNamespace(namespace);
    team.getMetadata().setName(name);
    team.getMetadata().setAnnotations(annotations);
    team.setSpec(Samples.spec(name, "localhost/exercise:1"));
    return client.resource(team).create();
  }

  private void edit(String name, Consumer<LabTeam> change) {
    teams()
        .withName(name)
        .edit(
            team -> {
              change.accept(team);
              return team;
            });
  }

  /** As somebody does who does not look first. */
  private void merge(String name, String patch) {
    teams().withName(name).patch(PatchContext.of(PatchType.JSON_MERGE), patch);
  }

  private LabTeam awaitReady(String name, Predicate<LabTeamStatus> also) {
    return await("Ready of " + name)
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> teams().withName(name).get(),
            team ->
                Conditions.holds(team.getStatus().conditions(), ConditionType.READY)
                    && also.test(team.getStatus()));
  }

  private void awaitPhase(String name) {
    await().atMost(SOON).until(() -> teams().withName(name).get().getStatus().phase() != null);
  }

  private String reason(String name, String type) {
    return Conditions.find(teams().withName(name).get().getStatus().conditions(), type)
        .map(condition -> condition.getReason())
        .orElse("");
  }

  private NonNamespaceOperation<LabTeam, KubernetesResourceList<LabTeam>, Resource<LabTeam>>
      teams() {
    return client.resources(LabTeam.class).inNamespace(namespace);
  }

  private static boolean gone(@Nullable Namespace found) {
    return found == null;
  }

  private static String uid(LabTeam team) {
    return team.getMetadata().getUid();
  }
}
