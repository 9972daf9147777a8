package dev.crowdlab.agent;

import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Containers in memory. */
final class FakePods implements Pods {

  private static final class Container {
    private boolean running;
    private @Nullable Integer exitCode;
    private int starts;
    private String lines = "";
  }

  private final Map<Pod, Map<String, Container>> pods = new HashMap<>();
  private final Set<String> images = new HashSet<>(Set.of("localhost/exercise:1"));
  private final Set<String> pullable = new HashSet<>();
  private final Map<Pod, Plan> plans = new HashMap<>();
  private final Set<Path> folders = new HashSet<>();
  private boolean unkillable;
  private boolean unremovable;
  private boolean wasUnremovable;
  private boolean blind;
  private final Set<Pod> setUps = new HashSet<>();
  private volatile boolean waiting;
  private volatile CompletableFuture<Void> setUpGate = CompletableFuture.completedFuture(null);
  private boolean endless;
  private int creations;
  private int pulls;
  private int refusals;
  private int silent;
  private int breakdowns;
  private Error breakdown = new AssertionError();

  synchronized void offer(String image) {
    pullable.add(image);
  }

  /** Pulling takes for ever. */
  synchronized void pullForEver() {
    endless = true;
  }

  /** The next containers are refused. */
  synchronized void refuse(int times) {
    refusals = times;
  }

  /** Podman does not say what there is, so many times. */
  synchronized void silent(int times) {
    silent = times;
  }

  /** Looking at containers ends in this, so many times. */
  synchronized void breakDown(int times, Error error) {
    breakdowns = times;
    breakdown = error;
  }

  synchronized void unkillable(boolean now) {
    unkillable = now;
  }

  /** Containers that were set up do not see what is mounted later. */
  synchronized void blind() {
    blind = true;
  }

  /** Setting containers up takes until {@link #letSetUpGo}. */
  void holdSetUp() {
    setUpGate = new CompletableFuture<>();
  }

  boolean waitsInSetUp() {
    return waiting;
  }

  void letSetUpGo() {
    setUpGate.complete(null);
  }

  synchronized boolean isSetUp(Pod pod) {
    return setUps.contains(pod);
  }

  synchronized void unremovable(boolean now) {
    unremovable = now;
  }

  /** Whether anything could not be removed so far. */
  synchronized boolean wasUnremovable() {
    return wasUnremovable;
  }

  /** A folder of the machine appears or goes: containers are not created without theirs. */
  synchronized void folder(Path path, boolean there) {
    if (there) {
      folders.add(path);
    } else {
      folders.remove(path);
    }
  }

  synchronized boolean exists(Pod pod) {
    return pods.containsKey(pod);
  }

  /** How many pods were made so far. */
  synchronized int creations() {
    return creations;
  }

  /** How many images were not there when they were to be pulled. */
  synchronized int pulls() {
    return pulls;
  }

  synchronized Plan plan(Pod pod) {
    return plans.get(pod);
  }

  synchronized boolean isRunning(Pod pod, String container) {
    return pods.containsKey(pod) && pods.get(pod).get(container).running;
  }

  synchronized int starts(Pod pod, String container) {
    return pods.get(pod).get(container).starts;
  }

  synchronized void exit(Pod pod, String name, int code, String lines) {
    Container container = pods.get(pod).get(name);
    container.running = false;
    container.exitCode = code;
    container.lines = lines;
  }

  static String id(Pod pod, String container) {
    return "id-" + pod.container(container);
  }

  @Override
  public void create(Plan plan) throws RunException, ImageMissingException {
    synchronized (this) {
      if (refusals > 0) {
        refusals--;
        throw new RunException(RunFailure.CONTAINER_REFUSED, "refused by podman");
      }
      Path workspace = plan.workspace();
      if (workspace != null && !folders.contains(workspace)) {
        throw new RunException(
            RunFailure.CONTAINER_REFUSED, "statfs " + workspace + ": no such file or directory");
      }
      Map<String, Container> containers = new LinkedHashMap<>();
      for (ToAgent.Container container : plan.run().containers()) {
        if (!images.contains(container.image())) {
          throw new ImageMissingException(container.image());
        }
        containers.put(container.name(), new Container());
      }
      creations++;
      setUps.remove(plan.pod());
      pods.put(plan.pod(), containers);
      plans.put(plan.pod(), plan);
    }
  }

  @Override
  public void pull(
      String image, ToAgent.@Nullable RegistryAuth auth, CompletableFuture<Void> cancel)
      throws RunException {
    boolean wait;
    synchronized (this) {
      wait = endless;
      if (pullable.contains(image)) {
        images.add(image);
        return;
      }
    }
    if (wait) {
      cancel.orTimeout(30, TimeUnit.SECONDS).join();
    }
    synchronized (this) {
      pulls++;
      if (!images.contains(image)) {
        throw new RunException(RunFailure.IMAGE_MISSING, "image " + image + " is nowhere");
      }
    }
  }

  @Override
  public synchronized void start(Pod pod, List<String> containers) throws RunException {
    if (!pods.containsKey(pod)) {
      throw new RunException(RunFailure.CONTAINER_REFUSED, "no such pod");
    }
    for (String name : containers) {
      Container container = pods.get(pod).get(name);
      if (!container.running) {
        container.running = true;
        container.starts++;
      }
    }
  }

  @Override
  public synchronized List<Status> statuses(Pod pod, List<String> containers) {
    if (breakdowns > 0) {
      breakdowns--;
      throw breakdown;
    }
    Map<String, Container> all = pods.getOrDefault(pod, Map.of());
    return containers.stream()
        .filter(all::containsKey)
        .map(name -> new Status(name, id(pod, name), all.get(name).running, all.get(name).exitCode))
        .toList();
  }

  @Override
  public synchronized String lastLines(Pod pod, String container) {
    return pods.get(pod).get(container).lines;
  }

  @Override
  public void setUp(Pod pod, List<ToAgent.Container> containers) {
    waiting = true;
    setUpGate.orTimeout(30, TimeUnit.SECONDS).join();
    synchronized (this) {
      setUps.add(pod);
    }
  }

  @Override
  public synchronized boolean see(Pod pod, @Nullable Path workspace) {
    return !blind;
  }

  @Override
  public synchronized boolean stop(Pod pod, List<String> containers, Duration grace) {
    if (unkillable) {
      return false;
    }
    pods.getOrDefault(pod, Map.of()).values().forEach(container -> container.running = false);
    return true;
  }

  @Override
  public synchronized boolean remove(Pod pod) {
    if (unkillable || unremovable) {
      wasUnremovable = true;
      return false;
    }
    pods.remove(pod);
    return true;
  }

  @Override
  public synchronized List<Found> list() throws RunException {
    if (silent > 0) {
      silent--;
      throw new RunException(RunFailure.INTERNAL, "podman does not answer");
    }
    return pods.entrySet().stream()
        .map(
            e ->
                new Found(
                    e.getKey(),
                    e.getValue().values().stream().anyMatch(c -> c.running),
                    plans.get(e.getKey()).network().name()))
        .toList();
  }
}
