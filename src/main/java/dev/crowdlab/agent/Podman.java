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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Pods with podman, as root. One pod per team and epoch; its containers share the namespace of the
 * team's network, so they reach each other as {@code localhost} and by name, and no other team
 * shares anything with them. The namespace is there before the pod, so podman needs no process to
 * hold it.
 */
final class Podman implements Pods {

  /** Where podman is told about its storage: the first that says something counts. */
  static final List<Path> STORAGE_CONFIGURATION =
      List.of(
          Path.of("/etc/containers/storage.conf"), Path.of("/usr/share/containers/storage.conf"));

  private static final Path STORAGE = Path.of("/var/lib/containers/storage");
  private static final Pattern GRAPH_ROOT =
      Pattern.compile("\\s*graphroot\\s*=\\s*\"(/[^\"]*)\"\\s*");

  static final String TEAM_LABEL = "crowdlab.team";
  static final String EPOCH_LABEL = "crowdlab.epoch";
  static final String NETWORK_LABEL = "crowdlab.network";

  private static final Logger LOG = Logger.getLogger(Podman.class.getName());
  private static final Duration QUICK = Duration.ofSeconds(30);
  private static final Duration REMOVE = Duration.ofSeconds(15);
  private static final Duration PULL = Duration.ofMinutes(10);
  private static final int LOG_LINES = 40;

  /** The environment variable that tells a container the epoch of its run. */
  private static final String EPOCH_VARIABLE = "CROWDLAB_EPOCH";

  private final Commands commands;
  private final Executor executor;
  private final Path secretsDir;
  private final PulledImages pulled;
  private final List<String> dns;
  private final boolean limits;
  private final ObjectMapper json = new ObjectMapper();

  /** Of the pods that were set up: where which of their processes expects the workspace. */
  private final Map<Pod, List<View>> setUp = new ConcurrentHashMap<>();

  /** By the containers' whole names, as far as podman has told. */
  private final Map<String, FirstProcess> processes = new ConcurrentHashMap<>();

  /** Pulls go on beside each other, each with a file of its own. */
  private final AtomicLong authFiles = new AtomicLong();

  /**
   * Where a container's first process expects the workspace.
   *
   * @param pid empty: not known
   */
  private record View(String pid, String path) {}

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

  /** Where it keeps containers and images, as root. Asking podman itself takes seconds. */
  static Path storage(List<Path> configuration) {
    for (Path file : configuration) {
      try {
        for (String line : Files.readAllLines(file)) {
          Matcher said = GRAPH_ROOT.matcher(line);
          if (said.matches()) {
            return Path.of(said.group(1));
          }
        }
      } catch (IOException e) {
        LOG.fine(file + " says nothing of podman's storage: " + e);
      }
    }
    return STORAGE;
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
    join(steps);
  }

  private static List<String> podWords(Plan plan) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("pod", "create", "--name", plan.pod().name(), "--infra=false"));
    words.addAll(labels(plan));
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
    words.addAll(List.of("--hostname", hostname(plan.run().name())));
    words.addAll(networkWords(plan));
    words.addAll(List.of("--pull", "never", "--restart", "no"));
    // Whoever may write packets as they like may write another's address on them.
    words.addAll(List.of("--security-opt", "no-new-privileges", "--cap-drop", "NET_RAW"));
    words.addAll(List.of("--log-driver", "k8s-file", "--log-opt", "max-size=1mb"));
    words.addAll(labels(plan));
    words.addAll(List.of("--env-file", env.toString()));
    words.addAll(List.of("--env", EPOCH_VARIABLE + "=" + plan.run().epoch()));
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
              "--volume",
              // A slave: a container that is set up before the mount sees it appear.
              workspace + ":" + container.workspaceMountPath() + ":rw,nosuid,nodev,rslave"));
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

  /** The team's network, with its containers' names in it, and who else answers for names. */
  private List<String> networkWords(Plan plan) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("--network", "ns:" + plan.network().namespace()));
    for (ToAgent.Container other : plan.run().containers()) {
      words.addAll(List.of("--add-host", other.name() + ":127.0.0.1"));
    }
    for (String server : plan.run().internet() ? dns : List.of("127.0.0.1")) {
      words.addAll(List.of("--dns", server));
    }
    return words;
  }

  @Override
  public void pull(
      String image, ToAgent.@Nullable RegistryAuth auth, CompletableFuture<Void> cancel)
      throws RunException {
    if (podman(QUICK, List.of("image", "exists", image)).ok()) {
      return;
    }
    Path authFile = secretsDir.resolve("auth-" + authFiles.incrementAndGet());
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
  public void setUp(Pod pod, List<ToAgent.Container> containers) {
    Map<ToAgent.Container, CompletableFuture<Boolean>> steps = new LinkedHashMap<>();
    for (ToAgent.Container container : containers) {
      steps.put(
          container,
          CompletableFuture.supplyAsync(
              () -> podman(QUICK, List.of("init", pod.container(container.name()))).ok(),
              executor));
    }
    // All are waited for: none may still be on its way afterwards.
    steps.values().forEach(CompletableFuture::join);
    Map<String, String> pids = pids(pod, containers);
    List<View> views = new ArrayList<>();
    steps.forEach(
        (container, ok) -> {
          String path = container.workspaceMountPath();
          String pid = pids.getOrDefault(pod.container(container.name()), "");
          // One that was not set up sees nothing yet; of one that was, its process must be known.
          if (path != null && (ok.join() || !pid.isEmpty())) {
            views.add(new View(pid, Path.of(path).normalize().toString()));
          }
        });
    setUp.put(pod, views);
  }

  private Result inspect(Pod pod, List<String> containers, String format) {
    List<String> words =
        new ArrayList<>(List.of("inspect", "--type", "container", "--format", format));
    containers.forEach(container -> words.add(pod.container(container)));
    return podman(QUICK, words);
  }

  private Map<String, String> pids(Pod pod, List<ToAgent.Container> containers) {
    Result result =
        inspect(
            pod,
            containers.stream().map(ToAgent.Container::name).toList(),
            "{{.Name}} {{.Id}} {{.State.Pid}} {{.Config.StopSignal}}");
    Map<String, String> pids = new HashMap<>();
    for (String line : result.out().lines().toList()) {
      String[] parts = line.strip().split(" ", -1);
      if (parts.length == 4 && parts[2].matches("[1-9]\\d{0,9}")) {
        pids.put(parts[0], parts[2]);
        // What waits there now is what runs when it is let go.
        FirstProcess.of(parts[1], parts[2], parts[3])
            .ifPresent(process -> processes.put(parts[0], process));
      }
    }
    return pids;
  }

  @Override
  public boolean see(Pod pod, @Nullable Path workspace) {
    List<View> views = setUp.getOrDefault(pod, List.of());
    if (workspace == null || views.isEmpty()) {
      return true;
    }
    Optional<String> mounted = MountTable.device("self", workspace.toString());
    return mounted.isPresent()
        && views.stream()
            .allMatch(view -> MountTable.device(view.pid(), view.path()).equals(mounted));
  }

  @Override
  public void start(Pod pod, List<String> containers) throws RunException {
    // Each by a podman of its own: one starts them one after the other.
    List<CompletableFuture<Void>> steps = new ArrayList<>();
    for (String container : containers) {
      steps.add(async(() -> start(pod, container)));
    }
    try {
      join(steps);
    } catch (ImageMissingException e) {
      throw new IllegalStateException("the container is there, and so was its image", e);
    }
  }

  private void start(Pod pod, String container) throws RunException {
    Result result = podman(QUICK, List.of("start", pod.container(container)));
    if (!result.ok()) {
      throw refused(result, "container " + container);
    }
  }

  @Override
  public List<Status> statuses(Pod pod, List<String> containers) {
    Result result =
        inspect(
            pod,
            containers,
            "{{.Name}} {{.Id}} {{.State.Status}} {{.State.ExitCode}}"
                + " {{.State.Pid}} {{.Config.StopSignal}}");
    List<Status> statuses = new ArrayList<>();
    for (String container : containers) {
      if (result.err().contains("no such") && result.err().contains(pod.container(container))) {
        statuses.add(new Status(container, "", false, null));
      }
    }
    String prefix = pod.container("");
    for (String line : result.out().lines().toList()) {
      String[] parts = line.strip().split(" ", -1);
      if (parts.length == 6 && parts[0].startsWith(prefix)) {
        boolean ended = parts[2].equals("exited") || parts[2].equals("stopped");
        FirstProcess.of(parts[1], parts[4], parts[5])
            .ifPresentOrElse(
                process -> processes.put(parts[0], process), () -> processes.remove(parts[0]));
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
    Duration left = grace;
    List<FirstProcess> known = grace.isZero() ? List.of() : firstProcesses(pod, containers);
    if (!known.isEmpty()) {
      // podman takes a third of a second to do as much.
      known.forEach(FirstProcess::stop);
      long until = System.nanoTime() + grace.toNanos();
      if (known.stream().allMatch(process -> process.awaitEnd(until))) {
        return true;
      }
      left = Duration.ZERO;
    }
    long seconds = (left.toMillis() + 999) / 1_000;
    Result result =
        podman(
            left.plus(Duration.ofSeconds(5)),
            List.of("pod", "stop", "--ignore", "--time", Long.toString(seconds), pod.name()));
    return result.ok() || gone(result);
  }

  /** The containers' first processes; none unless all of them are known and there. */
  private List<FirstProcess> firstProcesses(Pod pod, List<String> containers) {
    List<FirstProcess> known = new ArrayList<>();
    for (String container : containers) {
      FirstProcess process = processes.get(pod.container(container));
      if (process == null || !process.isThere()) {
        return List.of();
      }
      known.add(process);
    }
    return known;
  }

  @Override
  public boolean remove(Pod pod) {
    return destroy(pod);
  }

  private boolean destroy(Pod pod) {
    setUp.remove(pod);
    processes.keySet().removeIf(name -> name.startsWith(pod.container("")));
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
    Map<Pod, Found> found = new HashMap<>();
    for (JsonNode container : answer) {
      JsonNode labels = container.path("Labels");
      String team = labels.path(TEAM_LABEL).asText();
      String epoch = labels.path(EPOCH_LABEL).asText();
      if (!RunChecks.isUid(team) || !epoch.matches("\\d{1,18}")) {
        continue;
      }
      Pod pod = new Pod(team, Long.parseLong(epoch));
      // Pods of an earlier version have a container that only holds their network.
      boolean running =
          !container.path("IsInfra").asBoolean()
              && container.path("State").asText().equals("running");
      found.merge(
          pod,
          new Found(pod, running, labels.path(NETWORK_LABEL).asText()),
          (one, other) -> new Found(pod, one.running() || other.running(), one.network()));
    }
    return List.copyOf(found.values());
  }

  private Result podman(Duration deadline, List<String> words) {
    List<String> all = new ArrayList<>(words.size() + 1);
    all.add("podman");
    all.addAll(words);
    return commands.run(Command.of(deadline, all));
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

  static RunException refused(Result result, String what) {
    String err = result.err();
    // Ids are new each time; what people read should not be.
    String reason = result.reason().replaceAll("\"?[0-9a-f]{64}\"?", "…");
    if (result.exit() == Result.NOT_STARTED) {
      return new RunException(RunFailure.HOST_UNFIT, "podman is not installed");
    }
    if (err.contains("cgroup")) {
      return new RunException(
          RunFailure.HOST_UNFIT, "the VM's kernel cannot limit containers: " + reason);
    }
    return new RunException(
        RunFailure.CONTAINER_REFUSED, what + " was refused by podman: " + reason);
  }

  private static List<String> labels(Plan plan) {
    return List.of(
        "--label",
        TEAM_LABEL + "=" + plan.pod().teamUid(),
        "--label",
        EPOCH_LABEL + "=" + plan.pod().epoch(),
        "--label",
        NETWORK_LABEL + "=" + plan.network().name());
  }

  /** A host name that says whose machine it is: the first label of the team's name. */
  static String hostname(String name) {
    String label = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9-].*", "");
    label = label.substring(0, Math.min(63, label.length())).replaceAll("-+$", "");
    return label.isEmpty() ? "team" : label;
  }
}
