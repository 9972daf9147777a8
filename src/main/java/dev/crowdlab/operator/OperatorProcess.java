package dev.crowdlab.operator;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.hub.Hub;
import dev.crowdlab.hub.HubClock;
import dev.crowdlab.hub.HubSettings;
import dev.crowdlab.hub.KubernetesSecrets;
import dev.crowdlab.integrity.Ours;
import dev.crowdlab.operator.Config.FileServer;
import dev.crowdlab.route.Endpoint;
import dev.crowdlab.route.KubernetesRoutes;
import dev.crowdlab.route.Lobby;
import dev.crowdlab.route.RouteSettings;
import dev.crowdlab.route.RouteWatch;
import dev.crowdlab.route.WaitingRoom;
import dev.crowdlab.route.WaitingRoomSettings;
import dev.crowdlab.ssh.AddressPolicy;
import dev.crowdlab.ssh.Cidr;
import dev.crowdlab.ssh.ClusterBlocks;
import dev.crowdlab.ssh.Resolver;
import dev.crowdlab.ssh.SshConnector;
import dev.crowdlab.ssh.SshSettings;
import dev.crowdlab.ssh.SshjConnector;
import dev.crowdlab.storage.FileServerSettings;
import dev.crowdlab.storage.SshWorkspaces;
import dev.crowdlab.storage.WorkspaceIds;
import dev.crowdlab.storage.Workspaces;
import dev.crowdlab.team.HostNews;
import dev.crowdlab.team.KubernetesPullSecrets;
import dev.crowdlab.team.KubernetesTeams;
import dev.crowdlab.team.OrphanSweep;
import dev.crowdlab.team.TeamModule;
import dev.crowdlab.team.TeamSettings;
import dev.crowdlab.vm.AgentArchive;
import dev.crowdlab.vm.ContributedVMReconciler;
import dev.crowdlab.vm.IntegrityJudge;
import dev.crowdlab.vm.Judge;
import dev.crowdlab.vm.SshVmAccess;
import dev.crowdlab.vm.VmSettings;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfigurationBuilder;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import io.javaoperatorsdk.operator.processing.retry.GenericRetry;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The operator's process: everything wired together, started and stopped in order. */
public final class OperatorProcess implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(OperatorProcess.class);

  /** A transient cache miss can leave an object alone, timers included (java-operator-sdk#3416). */
  private static final Duration LONGEST_SILENCE = Duration.ofMinutes(2);

  private static final Duration TERMINATION_BOUND = Duration.ofSeconds(5);
  private static final int REQUEST_TIMEOUT_MILLIS = 10_000;
  private static final Duration API_BOUND = Duration.ofMillis(REQUEST_TIMEOUT_MILLIS);
  private static final long FIRST_RETRY_MILLIS = 500;
  private static final long LONGEST_RETRY_MILLIS = 30_000;

  /** Closed in the opposite order. */
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  private final CountDownLatch ended = new CountDownLatch(1);

  private OperatorProcess() {}

  /**
   * Starts the operator.
   *
   * @param kubeconfig how to reach the cluster; by default as kubectl does it
   * @throws IOException when a file cannot be read or a port is taken
   */
  public static OperatorProcess start(
      dev.crowdlab.operator.Config config, Optional<Path> kubeconfig) throws IOException {
    return start(config, kubeconfig, StepListener.NONE);
  }

  /**
   * As {@link #start(dev.crowdlab.operator.Config, Optional)}, with somebody who hears of each step
   * of a team and of a machine.
   */
  public static OperatorProcess start(
      dev.crowdlab.operator.Config config, Optional<Path> kubeconfig, StepListener steps)
      throws IOException {
    OperatorProcess process = new OperatorProcess();
    try {
      process.run(requireNonNull(config, "config"), kubeconfig, steps);
      return process;
    } catch (IOException | RuntimeException e) {
      process.close();
      throw e;
    }
  }

  /** Waits until the process is told to stop (SIGTERM), or {@link #close}d. */
  public void awaitEnd() throws InterruptedException {
    Thread hook = Thread.ofPlatform().name("shutdown").unstarted(this::close);
    Runtime.getRuntime().addShutdownHook(hook);
    ended.await();
  }

  @Override
  public synchronized void close() {
    while (!parts.isEmpty()) {
      AutoCloseable part = parts.pop();
      try {
        part.close();
      } catch (Exception e) {
        LOG.warn("{} did not close in order", part.getClass().getSimpleName(), e);
      }
    }
    ended.countDown();
  }

  private <T extends AutoCloseable> T opened(T part) {
    parts.push(part);
    return part;
  }

  private void run(
      dev.crowdlab.operator.Config config, Optional<Path> kubeconfig, StepListener steps)
      throws IOException {
    Clock clock = Clock.systemUTC();
    SecureRandom random = new SecureRandom();
    PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    parts.push(meters::close);
    KubernetesClient client = opened(client(kubeconfig));
    KubernetesEventRecorder events =
        opened(
            new KubernetesEventRecorder(
                client, clock, identity(), KubernetesEventRecorder.PATIENCE));
    ClusterAddresses inside = opened(new ClusterAddresses(client, ClusterAddresses.REFRESH));
    Hub hub = opened(hub(config, client, meters));
    // Who installs the operator names the file server, which may well be a node.
    Workspaces workspaces =
        workspaces(config, client, connector(addresses(config, Set::of)), random);
    Lobby lobby = lobby(config, clock, meters);
    Caches caches = opened(new Caches(client));
    KubernetesRoutes routes =
        new KubernetesRoutes(
            client,
            new RouteSettings(config.route().allowedAnnotations(), waitingRoom(config)),
            caches::usersOf,
            lobby);
    AgentArchive agent = AgentArchive.bundled();
    SimpleInboundEventSource<ContributedVM> machineNews = new SimpleInboundEventSource<>("agents");
    ContributedVMReconciler machines =
        new ContributedVMReconciler(
            new SshVmAccess(connector(addresses(config, inside)), agent, clock),
            new HubEnrolment(hub, agent.digest()),
            judge(config, client),
            hub.agents(),
            events,
            clock,
            random,
            VmSettings.defaults()
                .withReverify(config.integrity().reverify())
                .withReturning(
                    new VmSettings.Returning(
                        config.returning().stable(),
                        config.returning().longest(),
                        config.returning().forgive()))
                .withRelease(config.release().drainBound(), config.release().cleanupBound()),
            steps,
            machineNews);
    ScheduledExecutorService helper =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("crowdlab-helper").factory());
    parts.push(helper::shutdownNow);
    TeamModule teams =
        TeamModule.of(
            teamSettings(config, client),
            new KubernetesTeams(client),
            caches,
            new KubernetesPullSecrets(client),
            hub.agents(),
            workspaces,
            routes,
            events,
            steps,
            helper,
            clock,
            random);
    if (workspaces instanceof SshWorkspaces reached) {
      reached.whenReached(teams.events()::fileServerReached);
    }
    hub.agents().listen(teams.events());
    hub.agents().listen(new MachineNews(machineNews));
    RouteWatch watch = opened(new RouteWatch(client, routes, teams.events()::routeDrifted));
    CountDownLatch leading = new CountDownLatch(1);
    OrphanSweep sweep = opened(teams.sweep());
    Runnable lead =
        () -> {
          lead(hub, client, leading);
          sweep.start();
        };
    Operator operator = operator(config, client, lead);
    operator.register(machines, OperatorProcess::ownPace);
    operator.register(teams.reconciler(), OperatorProcess::ownPace);
    opened(operator::stop);
    SecretNews secrets =
        opened(
            new SecretNews(
                client,
                List.of(
                    machines::secretChanged,
                    teams.events()::secretChanged,
                    secret -> {
                      if (secret.getNamespace().filter(config.namespace()::equals).isPresent()) {
                        hub.secretChanged(secret.getName());
                      }
                    })));
    inside.start();
    caches.start(teams.events(), new HostNews(teams.events()::hostFreed));
    watch.start();
    operator.start();
    secrets.start();
    opened(new Preparation(workspaces, Preparation.FIRST_DELAY, Preparation.LONGEST_DELAY)).start();
    if (!config.leaderElection().enabled()) {
      lead.run();
    }
    opened(
        ManagementServer.start(
            config.management().listen().toSocketAddress(),
            () -> operator.getRuntimeInfo().isStarted(),
            () -> leading.getCount() == 0 ? hub.isOpen() : config.leaderElection().enabled(),
            meters));
    LOG.info("started; the agent's version is {}", agent.digest());
  }

  /**
   * Never given up, never faster than the cause can go away; timers that were lost are made up for.
   */
  private static <P extends HasMetadata> void ownPace(
      ControllerConfigurationOverrider<P> overrider) {
    overrider
        .withReconciliationMaxInterval(LONGEST_SILENCE)
        .withRetry(
            new GenericRetry()
                .setInitialInterval(FIRST_RETRY_MILLIS)
                .setIntervalMultiplier(2)
                .setMaxInterval(LONGEST_RETRY_MILLIS)
                .withoutMaxAttempts());
  }

  private static Judge judge(dev.crowdlab.operator.Config config, KubernetesClient client) {
    return new IntegrityJudge(
        new ConfigMapBaselines(client, config.namespace(), API_BOUND),
        new Ours(config.route().firstPort(), config.route().lastPort()),
        config.integrity().quarantine());
  }

  private static TeamSettings teamSettings(
      dev.crowdlab.operator.Config config, KubernetesClient client) {
    FileServer server = config.fileServer();
    return new TeamSettings(
        installation(config, client),
        server == null ? null : server.name(),
        config.route().firstPort(),
        config.route().lastPort(),
        config.route().sources(),
        server == null ? Duration.ZERO : server.retention(),
        TeamSettings.Bounds.DEFAULT
            .withAgentGone(config.detection().patience().agentGone())
            .withIngress(config.route().ingressDelay()));
  }

  private static @Nullable Endpoint waitingRoom(dev.crowdlab.operator.Config config)
      throws UnknownHostException {
    HostPort at = config.waitingRoom().advertise();
    return at == null ? null : new Endpoint(InetAddress.getByName(at.host()), at.port());
  }

  /** The hub accepts agents on the leader only: a machine must not be torn between two. */
  private static void lead(Hub hub, KubernetesClient client, CountDownLatch leading) {
    LOG.info("leading: the hub opens");
    hub.open(() -> contributed(client));
    leading.countDown();
  }

  private static Set<String> contributed(KubernetesClient client) {
    return client.resources(ContributedVM.class).inAnyNamespace().list().getItems().stream()
        .map(vm -> vm.getMetadata().getUid())
        .collect(Collectors.toUnmodifiableSet());
  }

  private static Operator operator(
      dev.crowdlab.operator.Config config, KubernetesClient client, Runnable lead) {
    return new Operator(
        overrider -> {
          overrider
              .withKubernetesClient(client)
              .withCloseClientOnStop(false)
              .withExecutorService(virtualThreads("reconcile-"))
              .withWorkflowExecutorService(virtualThreads("workflow-"))
              // Statuses are written with the version that was read, never by server-side apply:
              // the two do not mix on one object
              // (java-operator-sdk#2759).
              .withUseSSAToPatchPrimaryResource(false)
              .withReconciliationTerminationTimeout(TERMINATION_BOUND);
          if (config.leaderElection().enabled()) {
            overrider.withLeaderElectionConfiguration(
                LeaderElectionConfigurationBuilder.aLeaderElectionConfiguration(
                        config.leaderElection().leaseName())
                    .withLeaseNamespace(config.namespace())
                    .withLeaderCallbacks(
                        new LeaderCallbacks(
                            lead,
                            () -> LOG.warn("lost the lease; another operator leads"),
                            leader -> LOG.info("{} leads", leader)))
                    .build());
          }
        });
  }

  private static ExecutorService virtualThreads(String name) {
    return Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name(name, 0).factory());
  }

  private Hub hub(
      dev.crowdlab.operator.Config config, KubernetesClient client, MeterRegistry meters) {
    return new Hub(
        HubSettings.of(
                config.hub().listen().toSocketAddress(),
                config.hub().advertise().stream()
                    .map(at -> InetSocketAddress.createUnresolved(at.host(), at.port()))
                    .toList())
            .withDetector(config.detection(), witnesses(config)),
        new KubernetesSecrets(client, config.namespace()),
        HubClock.system(),
        meters);
  }

  /** Whoever does not reach the file server cannot recover a team anyway. */
  private static List<InetSocketAddress> witnesses(dev.crowdlab.operator.Config config) {
    FileServer server = config.fileServer();
    return server == null
        ? List.of()
        : List.of(InetSocketAddress.createUnresolved(server.host(), server.port()));
  }

  private Workspaces workspaces(
      dev.crowdlab.operator.Config config,
      KubernetesClient client,
      SshConnector connector,
      RandomGenerator random) {
    FileServer server = config.fileServer();
    if (server == null) {
      return new NoFileServer();
    }
    SshWorkspaces workspaces =
        opened(
            new SshWorkspaces(
                FileServerSettings.of(server.name(), server.dataDirectory(), server.sftpPort()),
                new FileServerTarget(client, config.namespace(), server),
                connector,
                random));
    workspaces.start();
    return workspaces;
  }

  private Lobby lobby(dev.crowdlab.operator.Config config, Clock clock, MeterRegistry meters)
      throws IOException {
    if (config.waitingRoom().advertise() == null) {
      return Lobby.none();
    }
    WaitingRoom room =
        opened(
            new WaitingRoom(
                WaitingRoomSettings.of(
                    config.waitingRoom().listen().toSocketAddress(),
                    config.waitingRoom().hold(),
                    config.waitingRoom().maxHeld()),
                clock,
                meters));
    room.start();
    return room;
  }

  private static SshConnector connector(AddressPolicy policy) {
    return new SshjConnector(SshSettings.DEFAULT, policy, Resolver.system());
  }

  static AddressPolicy addresses(dev.crowdlab.operator.Config config, ClusterBlocks cluster) {
    return new AddressPolicy(
        config.network().allow().stream().map(Cidr::parse).toList(),
        config.network().deny().stream().map(Cidr::parse).toList(),
        cluster);
  }

  private static KubernetesClient client(Optional<Path> kubeconfig) throws IOException {
    Config base =
        kubeconfig.isPresent()
            ? Config.fromKubeconfig(Files.readString(kubeconfig.get()))
            : new ConfigBuilder().build();
    base.setRequestTimeout(REQUEST_TIMEOUT_MILLIS);
    base.setConnectionTimeout(REQUEST_TIMEOUT_MILLIS);
    return new KubernetesClientBuilder().withConfig(base).build();
  }

  private static String installation(dev.crowdlab.operator.Config config, KubernetesClient client) {
    String configured = config.installation();
    if (configured != null) {
      return configured;
    }
    return WorkspaceIds.installation(
        client.namespaces().withName("kube-system").require().getMetadata().getUid());
  }

  private static String identity() throws IOException {
    return InetAddress.getLocalHost().getHostName() + "-" + ProcessHandle.current().pid();
  }
}
