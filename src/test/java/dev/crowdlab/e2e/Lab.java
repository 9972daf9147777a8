package dev.crowdlab.e2e;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.core.Times;
import dev.crowdlab.testbed.Command;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.Logs;
import dev.crowdlab.testbed.Relay;
import dev.crowdlab.testbed.WorkFolder;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientTimeoutException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * A whole installation: control plane, file server, machines, and the operator as a process of its
 * own that can be killed. Everything is real.
 */
public final class Lab implements AutoCloseable {

  /** The namespace of the operator. */
  static final String SYSTEM = "crowdlab-system";

  /**
   * What the second container of {@link #teamYaml} does, for a test that lets it do something else.
   */
  static final String VICTIM = "env: [{name: PORT, value: \"9090\"}]";

  /** Of the operator's log, when what was awaited did not come. */
  private static final int LOG_LINES_SHOWN = 80;

  private static final Path JAR = Path.of("target/crowdlab.jar");
  private static final Path WHILE_OPEN = Path.of("src/test/testbed/while-open");
  private static final Path MANIFEST = Path.of("manifests/install/crowdlab.yaml");
  private static final Set<String> RIGHTS =
      Set.of("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding");

  /** Further options of an operator's JVM, for tests; where speed is measured there are none. */
  private static final List<String> OPERATOR_OPTIONS =
      Stream.of(System.getProperty("crowdlab.test.operatorOptions", "").split(" "))
          .filter(option -> !option.isEmpty())
          .toList();

  private static final Path TEST_CLASSES = Path.of("target/test-classes");

  private final ControlPlane controlPlane;
  private final LabNetwork network;
  private final LabHost files;
  private final String namespace;
  private final WorkFolder folder;
  private final Path configuration;
  private final String dataDirectory;
  private final String furtherConfiguration;
  private final Path kubeconfig;
  private final Optional<Relay> relay;
  private String ownConfiguration;
  private int managementPort;
  private Process operator;
  private @Nullable Process stalled;
  private Instant operatorStarted = Instant.EPOCH;
  private String identity = "operator-0";

  private Lab(
      ControlPlane controlPlane,
      LabNetwork network,
      String namespace,
      LabHost fileServer,
      String dataDirectory,
      String furtherConfiguration,
      boolean relayed)
      throws IOException {
    this.controlPlane = controlPlane;
    this.network = network;
    this.namespace = namespace;
    this.folder = WorkFolder.create();
    controlPlane.kubectl("apply", "--server-side", "-f", "crds");
    controlPlane.kubectl(
        "wait",
        "--for=condition=Established",
        "crd/contributedvms.crowdlab.dev",
        "crd/labteams.crowdlab.dev");
    createNamespace(SYSTEM);
    createNamespace(namespace);
    installRights();
    this.kubeconfig = controlPlane.kubeconfig(SYSTEM, "crowdlab");
    this.files = fileServer;
    secret(SYSTEM, "files", network.privateKey());
    this.configuration = folder.resolve("config.yaml");
    this.dataDirectory = dataDirectory;
    this.furtherConfiguration = furtherConfiguration;
    InetSocketAddress hub = new InetSocketAddress(network.gateway(), freePort());
    this.relay =
        relayed
            ? Optional.of(new Relay(new InetSocketAddress(network.gateway(), freePort()), hub))
            : Optional.empty();
    listenAt(hub);
    configure(furtherConfiguration);
  }

  /** The next operator listens there for agents, and at ports that nothing has, for all else. */
  private void listenAt(InetSocketAddress hub) {
    String waitingRoom = at(network.gateway(), freePort());
    managementPort = freePort();
    ownConfiguration =
        """
        namespace: %s
        hub: {listen: '%s', advertise: ['%s']}
        fileServer: {host: %s, hostKey: '%s', credentialsSecret: files, dataDirectory: %s}
        route: {sources: ['%s/32'], allowedAnnotations: [projectcontour.io/websocket-routes]}
        waitingRoom: {listen: '%s', advertise: '%s'}
        management: {listen: '127.0.0.1:%d'}
        """
            .formatted(
                SYSTEM,
                at(network.gateway(), hub.getPort()),
                at(network.gateway(), relay.map(Relay::address).orElse(hub).getPort()),
                files.address(),
                files.fingerprint("ed25519"),
                dataDirectory,
                network.gateway(),
                waitingRoom,
                waitingRoom,
                managementPort);
  }

  /** Starts everything but the machines. */
  public static Lab start(ControlPlane controlPlane, LabNetwork network, String namespace) {
    return start(controlPlane, network, namespace, "");
  }

  /**
   * As {@link #start(ControlPlane, LabNetwork, String)}.
   *
   * @param configuration further sections of the operator's configuration, in YAML
   */
  public static Lab start(
      ControlPlane controlPlane, LabNetwork network, String namespace, String configuration) {
    LabHost files = network.start("files", HostOptions.fileServer("512M"));
    return start(controlPlane, network, namespace, files, "/srv/data", configuration);
  }

  /**
   * As {@link #start(ControlPlane, LabNetwork, String, String)}, with a file server that is there.
   *
   * @param dataDirectory where it keeps workspaces
   */
  public static Lab start(
      ControlPlane controlPlane,
      LabNetwork network,
      String namespace,
      LabHost fileServer,
      String dataDirectory,
      String configuration) {
    try {
      Lab lab =
          new Lab(
              controlPlane, network, namespace, fileServer, dataDirectory, configuration, false);
      lab.startOperator();
      return lab;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * As {@link #start(ControlPlane, LabNetwork, String, String)}, with a relay before the hub.
   *
   * @param configuration further sections of the operator's configuration, in YAML
   */
  static Lab startRelayed(
      ControlPlane controlPlane, LabNetwork network, String namespace, String configuration) {
    LabHost files = network.start("files", HostOptions.fileServer("512M"));
    try {
      Lab lab = new Lab(controlPlane, network, namespace, files, "/srv/data", configuration, true);
      lab.startOperator();
      return lab;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public KubernetesClient client() {
    return controlPlane.admin();
  }

  /** What all agents dial the hub through. */
  public Relay relay() {
    return relay.orElseThrow();
  }

  public LabHost fileServer() {
    return files;
  }

  /** This machine's address as lab hosts see it: the operator's and the ingress's. */
  public String gateway() {
    return network.gateway();
  }

  public String namespace() {
    return namespace;
  }

  // ---- the operator

  /** Starts the operator as a user would. */
  public void startOperator() {
    launch(List.of("-jar", JAR.toString(), "operator"));
  }

  /**
   * Stops the operator in order, and starts it with other further sections of its configuration.
   *
   * @param further as {@link #start(ControlPlane, LabNetwork, String, String)} takes it
   */
  public void restartOperatorWith(String further) {
    terminateOperator(Duration.ofSeconds(15));
    try {
      configure(further);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    startOperator();
  }

  private void configure(String further) throws IOException {
    Files.writeString(configuration, ownConfiguration + further);
  }

  /** Starts an operator that dies, as by kill -9, right after it reached a step. */
  public void startOperatorThatDiesAfter(String step) {
    doomOperator(step);
    launchMortal();
  }

  /** Starts an operator that lives until {@link #doomOperator} names a step. */
  public void startMortalOperator() {
    doomOperator("");
    launchMortal();
  }

  /**
   * The mortal operator dies, as by kill -9, right after it reaches the step next; or it stands
   * still there, as by SIGSTOP, when the step has a {@code stop} before it.
   */
  public void doomOperator(String step) {
    try {
      Path next = Files.writeString(folder.resolve("doom.next"), step);
      Files.move(next, doom(), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path doom() {
    return folder.resolve("doom");
  }

  private void launchMortal() {
    launch(
        List.of(
            "-Dcrowdlab.test.doom=" + doom(),
            "-cp",
            JAR + ":" + TEST_CLASSES,
            CrashingOperator.class.getName()));
  }

  /** Makes the starts of further operators cheaper, for a test that has many. */
  public void keepOperatorClasses() {
    OperatorClasses.keep(operator);
  }

  /** The next operator is another pod's: it leads when the last one's Lease has run out. */
  public void replacePod() {
    identity = identity + "x";
  }

  /** kill -9. */
  public void killOperator() {
    operator.destroyForcibly();
    awaitOperatorEnd(Duration.ofSeconds(10));
  }

  /** SIGSTOP: it hangs, and its kernel still answers for it. */
  public void pauseOperator() {
    signalOperator("STOP");
  }

  /** SIGCONT. */
  public void resumeOperator() {
    signalOperator("CONT");
  }

  /** Waits until the operator stands still, as after SIGSTOP. */
  public void awaitOperatorStopped(Duration bound) {
    Path stat = Path.of("/proc/%d/stat".formatted(operator.pid()));
    Awaitility.await("the operator stands still")
        .atMost(bound)
        .until(() -> Files.readString(stat).contains(") T "));
  }

  /**
   * SIGSTOP, and another operator, of another pod, with the agents' connections from now on. It
   * leads when the Lease of the first one has run out. For a lab with a relay.
   */
  public void replaceStalledOperator() {
    pauseOperator();
    stalled = operator;
    replacePod();
    InetSocketAddress hub = new InetSocketAddress(gateway(), freePort());
    listenAt(hub);
    try {
      configure(furtherConfiguration);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    relay().leadTo(hub);
    startMortalOperator();
  }

  /** SIGCONT for the operator that was replaced, and the wait for its end. */
  public void resumeStalledOperator(Duration bound) {
    Process resumed = Objects.requireNonNull(stalled, "no operator is stalled");
    signal(resumed, "CONT");
    awaitEnd(resumed, bound);
  }

  /** SIGTERM, as a pod's end begins; it must end in order within the bound. */
  public void terminateOperator(Duration bound) {
    operator.destroy();
    awaitOperatorEnd(bound);
  }

  /** Waits until the operator has ended by itself. */
  public void awaitOperatorEnd(Duration bound) {
    awaitEnd(operator, bound);
  }

  private static void awaitEnd(Process operator, Duration bound) {
    try {
      if (!operator.waitFor(bound.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError("the operator still runs after " + bound);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  public Path operatorLog() {
    return folder.resolve("operator.log");
  }

  /** What was said of the objects in its namespace. */
  List<Event> events() {
    return client().events().v1().events().inNamespace(namespace).list().getItems();
  }

  /** Sends the operator a signal, by its name without SIG. */
  void signalOperator(String signal) {
    signal(operator, signal);
  }

  private static void signal(Process operator, String signal) {
    Command.output(
        Duration.ofSeconds(10), List.of("kill", "-" + signal, Long.toString(operator.pid())));
  }

  /** The operator's metrics, as Prometheus reads them. */
  String metrics() {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(
                      URI.create("http://127.0.0.1:%d/metrics".formatted(managementPort)))
                  .timeout(Duration.ofSeconds(10))
                  .build(),
              HttpResponse.BodyHandlers.ofString())
          .body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  public long operatorPid() {
    return operator.pid();
  }

  private void launch(List<String> words) {
    List<String> command = new ArrayList<>();
    // A JVM of tests that is killed takes its operator with it.
    command.add(WHILE_OPEN.toString());
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx256m");
    command.addAll(OPERATOR_OPTIONS);
    if (!OPERATOR_OPTIONS.isEmpty()) {
      command.addAll(OperatorClasses.options());
    }
    command.addAll(words);
    command.addAll(
        List.of("--config", configuration.toString(), "--kubeconfig", kubeconfig.toString()));
    try {
      operatorStarted = Instant.now();
      ProcessBuilder process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(operatorLog().toFile()));
      // As in a pod, whose container starts again under the same name: the Lease is still its own.
      process.environment().put("HOSTNAME", identity);
      operator = process.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The account that an installation gives the operator: with its rights, and no more. */
  private void installRights() throws IOException {
    try (InputStream manifest = Files.newInputStream(MANIFEST)) {
      client().load(manifest).items().stream()
          .filter(object -> RIGHTS.contains(object.getKind()))
          .forEach(object -> client().resource(object).forceConflicts().serverSideApply());
    }
  }

  // ---- machines and teams

  /**
   * Boots a machine for teams. Lab hosts' control groups have no controllers: nothing is limited.
   */
  public static LabHost machine(LabNetwork network, String name, HostOptions options) {
    LabHost host = network.start(name, options);
    host.write("/etc/crowdlab-testbed.json", "{\"noLimits\": true}\n");
    return host;
  }

  /** Applies a machine with its Secret, its host key pinned. */
  public ContributedVM contribute(LabHost host, String contributor, int teams) {
    secret(namespace, host.name() + "-ssh", network.privateKey());
    return apply(ContributedVM.class, vmYaml(host, contributor, teams));
  }

  /** The YAML of {@link #contribute}. */
  public String vmYaml(LabHost host, String contributor, int teams) {
    return """
    apiVersion: crowdlab.dev/v1alpha1
    kind: ContributedVM
    metadata: {name: %s, namespace: %s, annotations: {}}
    spec:
      contributor: {name: %s}
      ssh: {host: %s, port: %d, user: %s, hostKey: '%s', credentialsSecretRef: {name: %s-ssh}}
      capacity: {teams: %d, cpu: "2", memory: 4Gi}
    """
        .formatted(
            host.name(),
            namespace,
            contributor,
            host.address(),
            host.sshPort(),
            host.user(),
            host.fingerprint("ed25519"),
            host.name(),
            teams);
  }

  /** Applies a team with the exercise image and a second container. */
  public LabTeam team(String name) {
    return apply(LabTeam.class, teamYaml(name));
  }

  /** The YAML of {@link #team}. */
  public String teamYaml(String name) {
    return """
    apiVersion: crowdlab.dev/v1alpha1
    kind: LabTeam
    metadata: {name: %s, namespace: %s}
    spec:
      members: [bob]
      exercise:
        containers:
        - {name: web, image: 'localhost/exercise:1', ports: [{name: http, containerPort: 8080}], workspaceMountPath: /work}
        - {name: victim, image: 'localhost/exercise:1', %s}
      workspace: {size: 64Mi}
      access: {host: %s, path: /, ingressClassName: contour, port: http}
    """
        .formatted(name, namespace, VICTIM, host(name));
  }

  /** The host name of a team's URL. */
  public String host(String team) {
    return team + "." + namespace + ".example.org";
  }

  public <T extends HasMetadata> T apply(Class<T> kind, String yaml) {
    return client()
        .resource(client().getKubernetesSerialization().unmarshal(yaml, kind))
        .createOr(existing -> existing.update());
  }

  public void secret(String inNamespace, String name, String privateKey) {
    client()
        .resource(
            new SecretBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(inNamespace)
                .endMetadata()
                .withType(Names.SSH_SECRET_TYPE)
                .addToStringData(Names.SSH_PRIVATE_KEY, privateKey)
                .build())
        .createOr(existing -> existing.update());
  }

  /** Deletes the Secret and creates it anew: the type of one cannot be changed. */
  public void replaceSecret(
      String inNamespace, String name, String type, Map<String, String> data) {
    var secrets = client().secrets().inNamespace(inNamespace);
    secrets.withName(name).delete();
    secrets
        .resource(
            new SecretBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withType(type)
                .withStringData(data)
                .build())
        .create();
  }

  /** Asks for another binding than the one of this epoch. */
  public void rebind(String team, long epoch) {
    patch(
        LabTeam.class,
        team,
        "{\"metadata\": {\"annotations\": {\"%s\": \"%d\"}}}".formatted(Names.REBIND, epoch));
  }

  /** Writes a team's status, as nobody but an operator should. */
  public void setStatus(String team, LabTeamStatus status) {
    client()
        .resources(LabTeam.class)
        .inNamespace(namespace)
        .withName(team)
        .editStatus(
            object -> {
              object.setStatus(status);
              return object;
            });
  }

  public void createNamespace(String name) {
    client()
        .resource(new NamespaceBuilder().withNewMetadata().withName(name).endMetadata().build())
        .createOr(existing -> existing.update());
  }

  /** Where the team's workspace lies on a lab's own file server. */
  static String dataOf(LabTeam team) {
    return "/srv/data/live/" + team.getStatus().workspace().id();
  }

  /** The team's containers on the machine, a line each: a restarted one has another id. */
  static String containers(LabHost machine, LabTeam team) {
    String ids =
        machine.shell(
            "podman ps -q --no-trunc --filter label=crowdlab.team="
                + team.getMetadata().getUid()
                + " | sort");
    if (ids.isBlank()) {
      throw new AssertionError(machine.name() + " runs nothing of " + team.getMetadata().getName());
    }
    return ids;
  }

  /** Whether the machine has containers of the team, running or not. */
  static boolean runs(LabHost machine, LabTeam team) {
    return machine
        .shell("podman ps -a --format '{{.Labels}}'")
        .contains(team.getMetadata().getUid());
  }

  // ---- waiting

  public ContributedVM vm(String name) {
    return client().resources(ContributedVM.class).inNamespace(namespace).withName(name).get();
  }

  /** Changes the object as a JSON merge patch says (RFC 7396). */
  void patchVm(String name, String change) {
    patch(ContributedVM.class, name, change);
  }

  private void patch(Class<? extends HasMetadata> kind, String name, String change) {
    client()
        .resources(kind)
        .inNamespace(namespace)
        .withName(name)
        .patch(PatchContext.of(PatchType.JSON_MERGE), change);
  }

  public LabTeam teamNow(String name) {
    return client().resources(LabTeam.class).inNamespace(namespace).withName(name).get();
  }

  public ContributedVM awaitVmReady(String name, Duration bound) {
    return awaitVm(name, "Ready", vm -> isReady(vm.getStatus().conditions()), bound);
  }

  public ContributedVM awaitVm(
      String name, String what, Predicate<ContributedVM> condition, Duration bound) {
    return await(ContributedVM.class, name, what, condition, bound);
  }

  public LabTeam awaitTeamReady(String name, Duration bound) {
    return awaitTeam(name, "Ready", team -> isReady(team.getStatus().conditions()), bound);
  }

  /** Ready again, under a higher epoch than the given one. */
  public LabTeam awaitTeamReadyAfter(String name, long epoch, Duration bound) {
    return awaitTeam(
        name,
        "Ready after epoch " + epoch,
        team ->
            team.getStatus().binding() != null
                && team.getStatus().binding().epoch() > epoch
                && isReady(team.getStatus().conditions()),
        bound);
  }

  public LabTeam awaitTeam(String name, String what, Predicate<LabTeam> condition, Duration bound) {
    return await(LabTeam.class, name, what, condition, bound);
  }

  /** Waits on a watch, so that nothing is seen later than the API server tells it. */
  private <T extends HasMetadata> T await(
      Class<T> kind, String name, String what, Predicate<T> condition, Duration bound) {
    try {
      return client()
          .resources(kind)
          .inNamespace(namespace)
          .withName(name)
          .waitUntilCondition(
              object -> object != null && condition.test(object),
              bound.toMillis(),
              TimeUnit.MILLISECONDS);
    } catch (KubernetesClientTimeoutException e) {
      throw new AssertionError(
          "%s %s is not %s after %s: %s%n%s ends with%n%s"
              .formatted(
                  kind.getSimpleName(),
                  name,
                  what,
                  bound,
                  text(client().resources(kind).inNamespace(namespace).withName(name).get()),
                  operatorLog(),
                  Logs.end(operatorLog(), LOG_LINES_SHOWN)),
          e);
    }
  }

  /** Without who wrote which field: of a long report, a reader may get only the beginning. */
  private String text(@Nullable HasMetadata object) {
    if (object == null) {
      return "it is gone";
    }
    object.getMetadata().setManagedFields(List.of());
    return client().getKubernetesSerialization().asYaml(object);
  }

  /** Waits until the present operator has heard of all these machines. */
  public void awaitConnected(Iterable<String> machines, Duration bound) {
    for (String name : machines) {
      awaitVm(
          name,
          "connected to this operator",
          vm -> {
            String since =
                vm.getStatus().agent() == null ? null : vm.getStatus().agent().connectedSince();
            return since != null && !Times.parse(since).isBefore(operatorStarted);
          },
          bound);
    }
  }

  /** Deletes it and waits until it is gone. */
  public <T extends HasMetadata> void delete(Class<T> kind, String name, Duration bound) {
    client().resources(kind).inNamespace(namespace).withName(name).delete();
    awaitGone(kind, name, bound);
  }

  /** Waits until the object is gone. */
  public <T extends HasMetadata> void awaitGone(Class<T> kind, String name, Duration bound) {
    client()
        .resources(kind)
        .inNamespace(namespace)
        .withName(name)
        .waitUntilCondition(Objects::isNull, bound.toMillis(), TimeUnit.MILLISECONDS);
  }

  public static boolean isReady(List<Condition> conditions) {
    return conditions.stream()
        .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True"));
  }

  @Override
  public void close() {
    if (stalled != null) {
      stalled.destroyForcibly();
    }
    if (operator != null) {
      killOperator();
    }
    // The control plane serves other tests too, whose machines may get these addresses next.
    forget(LabTeam.class);
    forget(ContributedVM.class);
    relay.ifPresent(Relay::close);
    files.close();
    folder.close();
  }

  /** Removes the objects without their clean-up: the operator and the machines are gone. */
  private <T extends HasMetadata> void forget(Class<T> kind) {
    var all = client().resources(kind).inNamespace(namespace);
    all.list()
        .getItems()
        .forEach(
            object ->
                all.resource(object)
                    .edit(
                        o -> {
                          o.getMetadata().setFinalizers(List.of());
                          return o;
                        }));
    all.delete();
  }

  private static String at(String host, int port) {
    return String.format(Locale.ROOT, "%s:%d", host, port);
  }

  /** A port that was free a moment ago on every address. */
  private static int freePort() {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress((InetAddress) null, 0));
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
