package dev.crowdlab.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.crowdlab.agent.Commands.Command;
import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Pods with podman, as root. One pod per team and epoch on a network of the team's own; its
 * containers share that network's namespace, so they reach each other as {@code localhost} and by
 * name, and no other team shares anything with them.
 *
 * <p>Networks are kept and used again by other teams: making one costs a tenth of a second, which
 * no team should wait for. One is always there ahead.
 */
final class Podman implements Pods {

  static final String TEAM_LABEL = "crowdlab.team";
  static final String EPOCH_LABEL = "crowdlab.epoch";
  static final String NETWORK_LABEL = "crowdlab.network";

  private static final Logger LOG = Logger.getLogger(Podman.class.getName());
  private static final Duration QUICK = Duration.ofSeconds(30);
  private static final Duration REMOVE = Duration.ofSeconds(15);
  private static final Duration PULL = Duration.ofMinutes(10);
  private static final String WARM_UP = "crowdlab-warm-up";
  private static final int LOG_LINES = 40;
  private static final Pattern NETWORK_NAME = Pattern.compile("crowdlab-(\\d{1,6})");

  private final Commands commands;
  private final Executor executor;
  private final Path secretsDir;
  private final PulledImages pulled;
  private final List<String> dns;
  private final boolean limits;
  private final ObjectMapper json = new ObjectMapper();

  private final Object warmUpLock = new Object();
  private final Object networksLock = new Object();
  private volatile boolean retired;
  private final Map<String, Network> networks = new HashMap<>();
  private final Map<Pod, Network> taken = new HashMap<>();

  /**
   * @param secretsDir a folder on a tmpfs, for files that are gone after a moment
   * @param pulled where images are noted that were not here before
   * @param limits false only where the kernel cannot limit: on a test bed
   */
  Podman(
      Commands commands,
      Executor executor,
      Path secretsDir,
      PulledImages pulled,
      List<String> dns,
      boolean limits) {
    this.commands = commands;
    this.executor = executor;
    this.secretsDir = secretsDir;
    this.pulled = pulled;
    this.dns = List.copyOf(dns);
    this.limits = limits;
  }

  @Override
  public Network network(Pod pod) throws RunException {
    synchronized (networksLock) {
      Network mine = taken.get(pod);
      if (mine == null) {
        mine = free();
        if (mine == null) {
          learnNetworks();
          mine = free();
        }
        if (mine == null) {
          makeNetwork();
          mine = free();
        }
        if (mine == null) {
          throw new RunException(RunFailure.HOST_UNFIT, "podman has no network for the team");
        }
        taken.put(pod, mine);
        executor.execute(this::spareNetwork);
      }
      return mine;
    }
  }

  /**
   * Does once what podman would do for the first team: the image of the process that holds a pod's
   * namespaces takes it a second to make. And makes a network ahead.
   */
  void warmUp() {
    synchronized (warmUpLock) {
      if (retired) {
        return;
      }
      Result made = podman(QUICK, List.of("pod", "create", "--name", WARM_UP));
      if (!made.ok()) {
        LOG.info("podman is not warmed up: " + made.reason());
      }
      podman(QUICK, List.of("pod", "rm", "--force", "--ignore", WARM_UP));
    }
    spareNetwork();
  }

  /**
   * Makes nothing ahead any more, and waits for what is being made: a network that came after the
   * machine was cleaned would stay.
   */
  void retire() {
    retired = true;
    synchronized (warmUpLock) {
      synchronized (networksLock) {
        LOG.fine("nothing is made ahead any more");
      }
    }
  }

  /** Makes a network ahead when none is free. */
  private void spareNetwork() {
    synchronized (networksLock) {
      if (retired) {
        return;
      }
      try {
        if (free() == null) {
          learnNetworks();
        }
        if (free() == null) {
          makeNetwork();
        }
      } catch (RunException e) {
        LOG.warning("no spare network: " + e.text());
      }
    }
  }

  private @Nullable Network free() {
    return networks.values().stream()
        .filter(network -> !taken.containsValue(network))
        .findFirst()
        .orElse(null);
  }

  private void learnNetworks() throws RunException {
    Result result =
        podman(
            QUICK,
            List.of("network", "ls", "--filter", "label=" + NETWORK_LABEL, "--format", "json"));
    if (!result.ok()) {
      throw unfit(result);
    }
    for (JsonNode network : parse(result.out())) {
      String name = network.path("name").asText();
      String bridge = network.path("network_interface").asText();
      if (NETWORK_NAME.matcher(name).matches() && !bridge.isEmpty()) {
        networks.put(name, new Network(name, bridge));
      }
    }
  }

  private void makeNetwork() throws RunException {
    int number = 0;
    for (String name : networks.keySet()) {
      Matcher matcher = NETWORK_NAME.matcher(name);
      if (matcher.matches()) {
        number = Math.max(number, Integer.parseInt(matcher.group(1)) + 1);
      }
    }
    Result result =
        podman(
            QUICK,
            List.of(
                "network",
                "create",
                // A resolver on the bridge would be a service of the VM, and names are in
                // /etc/hosts.
                "--disable-dns",
                "--label",
                NETWORK_LABEL + "=1",
                "crowdlab-" + number));
    if (!result.ok()) {
      throw unfit(result);
    }
    learnNetworks();
  }

  @Override
  public void create(Plan plan) throws RunException, ImageMissingException {
    Result made = podman(QUICK, podWords(plan));
    if (!made.ok() && made.err().contains("already")) {
      destroy(plan.pod());
      made = podman(QUICK, podWords(plan));
    }
    if (!made.ok()) {
      throw refused(made, "the pod");
    }
    List<CompletableFuture<Void>> steps = new ArrayList<>();
    for (ToAgent.Container container : plan.run().containers()) {
      steps.add(async(() -> createContainer(plan, container)));
    }
    steps.add(
        async(
            () -> {
              Result started = podman(QUICK, List.of("start", infra(plan.pod())));
              if (!started.ok()) {
                throw refused(started, "the pod");
              }
            }));
    join(steps);
  }

  private List<String> podWords(Plan plan) {
    ToAgent.Run run = plan.run();
    List<String> words = new ArrayList<>();
    words.addAll(List.of("pod", "create", "--name", plan.pod().name()));
    words.addAll(List.of("--infra-name", infra(plan.pod())));
    words.addAll(List.of("--hostname", hostname(run.name())));
    words.addAll(List.of("--share", "net,uts", "--network", plan.network()));
    for (ToAgent.PublishedPort port : run.ports()) {
      words.addAll(List.of("--publish", port.hostPort() + ":" + port.containerPort()));
    }
    for (ToAgent.Container container : run.containers()) {
      words.addAll(List.of("--add-host", container.name() + ":127.0.0.1"));
    }
    if (run.internet()) {
      for (String server : dns) {
        words.addAll(List.of("--dns", server));
      }
    } else {
      words.addAll(List.of("--dns", "127.0.0.1"));
    }
    words.addAll(labels(plan.pod()));
    return words;
  }

  private void createContainer(Plan plan, ToAgent.Container container)
      throws RunException, ImageMissingException {
    Path env = secretsDir.resolve(plan.pod().container(container.name()) + ".env");
    try {
      Durable.write(env, RunChecks.envFile(container));
      Result made = podman(QUICK, containerWords(plan, container, env));
      if (!made.ok() && imageMissing(made)) {
        throw new ImageMissingException(container.image());
      }
      if (!made.ok()) {
        throw refused(made, "container " + container.name());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      env.toFile().delete();
    }
  }

  private List<String> containerWords(Plan plan, ToAgent.Container container, Path env) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("create", "--pod", plan.pod().name()));
    words.addAll(List.of("--name", plan.pod().container(container.name())));
    words.addAll(List.of("--pull", "never", "--restart", "no"));
    words.addAll(List.of("--security-opt", "no-new-privileges"));
    words.addAll(List.of("--log-driver", "k8s-file", "--log-opt", "max-size=1mb"));
    words.addAll(labels(plan.pod()));
    words.addAll(List.of("--env-file", env.toString()));
    if (limits) {
      words.addAll(List.of("--pids-limit", "2048"));
      if (container.cpuMillis() > 0) {
        words.addAll(
            List.of("--cpus", String.format(Locale.ROOT, "%.3f", container.cpuMillis() / 1_000.0)));
      }
      if (container.memoryBytes() > 0) {
        String bytes = container.memoryBytes() + "b";
        words.addAll(List.of("--memory", bytes, "--memory-swap", bytes));
      }
    }
    Path workspace = plan.workspace();
    if (container.workspaceMountPath() != null && workspace != null) {
      words.addAll(
          List.of(
              "--volume", workspace + ":" + container.workspaceMountPath() + ":rw,nosuid,nodev"));
    }
    if (!container.command().isEmpty()) {
      try {
        words.addAll(List.of("--entrypoint", json.writeValueAsString(container.command())));
      } catch (JsonProcessingException e) {
        throw new UncheckedIOException(e);
      }
    }
    words.add(container.image());
    words.addAll(container.args());
    return words;
  }

  @Override
  public void pull(
      String image, ToAgent.@Nullable RegistryAuth auth, CompletableFuture<Void> cancel)
      throws RunException {
    if (podman(QUICK, List.of("image", "exists", image)).ok()) {
      return;
    }
    Path authFile =
        secretsDir.resolve("auth-" + Integer.toHexString(System.identityHashCode(cancel)));
    List<String> words = new ArrayList<>(List.of("podman", "pull", "--quiet"));
    try {
      if (auth != null) {
        Durable.write(authFile, auth.authFile());
        words.addAll(List.of("--authfile", authFile.toString()));
      }
      words.add(image);
      Result result = commands.run(Command.of(PULL, words).cancelledBy(cancel));
      if (!result.ok()) {
        throw new RunException(
            RunFailure.IMAGE_MISSING,
            "image " + image + " is not on the VM and could not be pulled: " + result.reason());
      }
      pulled.add(image);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      authFile.toFile().delete();
    }
  }

  @Override
  public void start(Pod pod, List<String> containers) throws RunException {
    List<String> words = new ArrayList<>(List.of("start"));
    containers.forEach(container -> words.add(pod.container(container)));
    Result result = podman(QUICK, words);
    if (!result.ok()) {
      throw refused(result, "a container");
    }
  }

  @Override
  public List<Status> statuses(Pod pod, List<String> containers) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "inspect",
                "--type",
                "container",
                "--format",
                "{{.Name}} {{.Id}} {{.State.Status}} {{.State.ExitCode}}"));
    containers.forEach(container -> words.add(pod.container(container)));
    Result result = podman(QUICK, words);
    List<Status> statuses = new ArrayList<>();
    for (String container : containers) {
      if (result.err().contains("no such") && result.err().contains(pod.container(container))) {
        statuses.add(new Status(container, "", false, null));
      }
    }
    String prefix = pod.container("");
    for (String line : result.out().lines().toList()) {
      String[] parts = line.strip().split(" ", -1);
      if (parts.length == 4 && parts[0].startsWith(prefix)) {
        boolean ended = parts[2].equals("exited") || parts[2].equals("stopped");
        statuses.add(
            new Status(
                parts[0].substring(prefix.length()),
                parts[1],
                parts[2].equals("running"),
                ended ? Integer.valueOf(parts[3]) : null));
      }
    }
    return statuses;
  }

  @Override
  public String lastLines(Pod pod, String container) {
    Result result =
        podman(
            QUICK,
            List.of("logs", "--tail", Integer.toString(LOG_LINES), pod.container(container)));
    return result.out() + result.err();
  }

  @Override
  public boolean stop(Pod pod, List<String> containers, Duration grace) {
    if (!grace.isZero()) {
      executor.execute(() -> killTheDeaf(pod, containers));
    }
    long seconds = (grace.toMillis() + 999) / 1_000;
    Result result =
        podman(
            grace.plus(Duration.ofSeconds(5)),
            List.of("pod", "stop", "--ignore", "--time", Long.toString(seconds), pod.name()));
    return result.ok() || gone(result);
  }

  private void killTheDeaf(Pod pod, List<String> containers) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "inspect",
                "--type",
                "container",
                "--format",
                "{{.Id}} {{.State.Pid}} {{.Config.StopSignal}}"));
    containers.forEach(container -> words.add(pod.container(container)));
    podman(QUICK, words).out().lines().forEach(Deaf::killIfDeaf);
  }

  @Override
  public boolean remove(Pod pod) {
    return destroy(pod);
  }

  @Override
  public void release(Pod pod) {
    synchronized (networksLock) {
      taken.remove(pod);
    }
  }

  /** The interfaces of all teams' networks, used or not. */
  List<String> bridges() {
    synchronized (networksLock) {
      return networks.values().stream().map(Network::bridge).sorted().toList();
    }
  }

  private boolean destroy(Pod pod) {
    Result result =
        podman(REMOVE, List.of("pod", "rm", "--force", "--ignore", "--time", "0", pod.name()));
    if (!result.ok() && !gone(result)) {
      LOG.warning(pod.name() + " could not be removed: " + result.reason());
      return false;
    }
    return true;
  }

  @Override
  public List<Found> list() throws RunException {
    Result result =
        podman(
            QUICK, List.of("ps", "--all", "--filter", "label=" + TEAM_LABEL, "--format", "json"));
    if (!result.ok()) {
      throw new RunException(
          RunFailure.INTERNAL, "podman does not say what runs here: " + result.reason());
    }
    JsonNode answer;
    try {
      answer = json.readTree(result.out());
    } catch (JsonProcessingException e) {
      answer = null;
    }
    if (answer == null || !answer.isArray()) {
      throw new RunException(RunFailure.INTERNAL, "podman's list of what runs here is not JSON");
    }
    Map<Pod, Boolean> found = new HashMap<>();
    Map<Pod, String> networkNames = new HashMap<>();
    for (JsonNode container : answer) {
      JsonNode labels = container.path("Labels");
      String team = labels.path(TEAM_LABEL).asText();
      String epoch = labels.path(EPOCH_LABEL).asText();
      if (!RunChecks.isUid(team) || !epoch.matches("\\d{1,18}")) {
        continue;
      }
      Pod pod = new Pod(team, Long.parseLong(epoch));
      boolean infra = container.path("IsInfra").asBoolean();
      boolean running = !infra && container.path("State").asText().equals("running");
      found.merge(pod, running, Boolean::logicalOr);
      container.path("Networks").forEach(name -> networkNames.put(pod, name.asText()));
    }
    remember(networkNames);
    return found.entrySet().stream().map(e -> new Found(e.getKey(), e.getValue())).toList();
  }

  private void remember(Map<Pod, String> networkNames) {
    synchronized (networksLock) {
      try {
        learnNetworks();
      } catch (RunException e) {
        LOG.warning("podman's networks are not known: " + e.text());
      }
      networkNames.forEach(
          (pod, name) -> {
            Network network = networks.get(name);
            if (network != null) {
              taken.put(pod, network);
            }
          });
    }
  }

  private Result podman(Duration deadline, List<String> words) {
    List<String> all = new ArrayList<>(words.size() + 1);
    all.add("podman");
    all.addAll(words);
    return commands.run(Command.of(deadline, all));
  }

  private JsonNode parse(String text) {
    try {
      JsonNode node = json.readTree(text);
      return node == null ? json.createArrayNode() : node;
    } catch (JsonProcessingException e) {
      LOG.warning("podman's answer is not JSON");
      return json.createArrayNode();
    }
  }

  private interface Step {
    void run() throws RunException, ImageMissingException;
  }

  private CompletableFuture<Void> async(Step step) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            step.run();
          } catch (RunException | ImageMissingException e) {
            throw new CompletionException(e);
          }
        },
        executor);
  }

  /** Waits for all; of several failures the missing image counts most, as it can be mended. */
  private static void join(List<CompletableFuture<Void>> steps)
      throws RunException, ImageMissingException {
    ImageMissingException missing = null;
    RunException failed = null;
    for (CompletableFuture<Void> step : steps) {
      try {
        step.join();
      } catch (CompletionException e) {
        switch (e.getCause()) {
          case ImageMissingException m -> missing = m;
          case RunException r -> failed = r;
          case null, default -> throw e;
        }
      }
    }
    if (missing != null) {
      throw missing;
    }
    if (failed != null) {
      throw failed;
    }
  }

  private static boolean imageMissing(Result result) {
    String err = result.err();
    return err.contains("image not known") || err.contains("no such image");
  }

  private static boolean gone(Result result) {
    return result.err().contains("no such pod") || result.err().contains("no pod with name");
  }

  private static RunException unfit(Result result) {
    return new RunException(RunFailure.HOST_UNFIT, "podman: " + result.reason());
  }

  static RunException refused(Result result, String what) {
    String err = result.err();
    // Ids are new each time; what people read should not be.
    String reason = result.reason().replaceAll("\"?[0-9a-f]{64}\"?", "…");
    if (result.exit() == Result.NOT_STARTED) {
      return new RunException(RunFailure.HOST_UNFIT, "podman is not installed");
    }
    if (err.contains("address already in use")) {
      return new RunException(
          RunFailure.PORT_IN_USE,
          "another process of the VM holds a port that was to be published");
    }
    if (err.contains("cgroup")) {
      return new RunException(
          RunFailure.HOST_UNFIT, "the VM's kernel cannot limit containers: " + reason);
    }
    return new RunException(
        RunFailure.CONTAINER_REFUSED, what + " was refused by podman: " + reason);
  }

  private static String infra(Pod pod) {
    return pod.name() + "-infra";
  }

  private static List<String> labels(Pod pod) {
    return List.of(
        "--label", TEAM_LABEL + "=" + pod.teamUid(), "--label", EPOCH_LABEL + "=" + pod.epoch());
  }

  /** A host name that says whose machine it is: the first label of the team's name. */
  static String hostname(String name) {
    String label = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9-].*", "");
    label = label.substring(0, Math.min(63, label.length())).replaceAll("-+$", "");
    return label.isEmpty() ? "team" : label;
  }
}
