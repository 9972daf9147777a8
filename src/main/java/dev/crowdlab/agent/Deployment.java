package dev.crowdlab.agent;

import dev.crowdlab.agent.Mounts.Place;
import dev.crowdlab.agent.Pods.Pod;
import dev.crowdlab.protocol.FromAgent.ContainerReport;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a worker knows of one epoch's run. Changed by the worker's thread only; the report may be
 * taken by others. Times are those of the monotonic clock.
 */
final class Deployment {

  volatile ToAgent.Run run;
  final Pod pod;
  final Place place;
  final Restarts restarts = new Restarts();
  final StepTimes times = new StepTimes();

  List<String> sources;
  @Nullable Making making;
  @Nullable Path workspace;
  boolean ahead;
  boolean onHost;
  boolean doomed;
  boolean mountDead;
  boolean hung;
  boolean full;
  boolean healthyBefore;

  /** Since when the mount is {@link #hung} or {@link #mountDead}; nothing while it is neither. */
  long mountIllSince;

  long startedAt;
  long nextLook = System.nanoTime();
  long nextFullLook = System.nanoTime();
  long nextMountLook = System.nanoTime();
  long nextRestart = Long.MAX_VALUE;
  ToAgent.@Nullable Stop stop;
  ToAgent.@Nullable Run after;

  State state = State.PREPARING;
  @Nullable RunFailure code;
  private @Nullable String message;
  private @Nullable TeamReport lastSet;
  private final Map<String, ContainerReport> containers = new LinkedHashMap<>();
  private final Map<String, String> ids = new LinkedHashMap<>();
  private final Set<String> down = new HashSet<>();

  Deployment(ToAgent.Run run) {
    this.run = run;
    this.pod = new Pod(run.teamUid(), run.epoch());
    this.place = new Place(run.teamUid(), run.epoch());
    this.sources = run.sources();
    containerNames()
        .forEach(
            name -> {
              containers.put(name, new ContainerReport(name, false, 0, null, null));
              down.add(name);
            });
  }

  /** Whether what was made ahead is what this run needs. */
  boolean isAheadOf(ToAgent.Run order) {
    return ahead
        && onHost
        && !doomed
        && order.withMount(null).withoutRegistryAuth().equals(run.withoutRegistryAuth());
  }

  /** The run is ordered, now also when it was made ahead. */
  void ordered(ToAgent.Run order) {
    run = order;
    ahead = false;
    times.ordered();
  }

  /** Whether it has, or is going to have, a folder of the VM for its workspace. */
  boolean usesWorkspace() {
    return run.mount() != null
        || run.containers().stream().anyMatch(c -> c.workspaceMountPath() != null);
  }

  List<String> containerNames() {
    return run.containers().stream().map(ToAgent.Container::name).toList();
  }

  Map<String, String> env(String container) {
    return run.containers().stream()
        .filter(c -> c.name().equals(container))
        .findFirst()
        .map(ToAgent.Container::env)
        .orElse(Map.of());
  }

  /**
   * Sets what the report says.
   *
   * @return whether that is something new
   */
  synchronized boolean set(State newState, @Nullable RunFailure newCode, @Nullable String text) {
    state = newState;
    code = newCode;
    message = text;
    TeamReport report = report();
    boolean isNews = !report.equals(lastSet);
    lastSet = report;
    return isNews;
  }

  synchronized TeamReport report() {
    return new TeamReport(
        run.teamUid(),
        run.namespace(),
        run.name(),
        run.epoch(),
        state,
        code == null ? null : code.name(),
        message,
        List.copyOf(containers.values()));
  }

  boolean healthy() {
    return state == State.HEALTHY;
  }

  boolean allRun() {
    return down.isEmpty();
  }

  boolean anyHopeless() {
    return containerNames().stream().anyMatch(restarts::hopeless);
  }

  Optional<String> firstDown() {
    return containerNames().stream().filter(down::contains).findFirst();
  }

  boolean restartDue(long now) {
    return nextRestart != Long.MAX_VALUE && now - nextRestart >= 0;
  }

  synchronized void allRunning() {
    containerNames().forEach(this::runs);
  }

  synchronized void runs(String name) {
    down.remove(name);
    containers.computeIfPresent(
        name, (n, c) -> new ContainerReport(n, true, c.restarts(), c.exitCode(), c.lastLines()));
  }

  /**
   * Takes note of a container's state.
   *
   * @return whether it is down and was not known to be
   */
  synchronized boolean update(Pods.Status status) {
    ids.put(status.container(), status.id());
    if (status.running()) {
      runs(status.container());
      return false;
    }
    return down.add(status.container());
  }

  synchronized void ended(String name, @Nullable Integer exitCode, String lastLines) {
    containers.computeIfPresent(
        name, (n, c) -> new ContainerReport(n, false, c.restarts(), exitCode, lastLines));
  }

  synchronized void restarted(String name, int count) {
    containers.computeIfPresent(
        name, (n, c) -> new ContainerReport(n, c.running(), count, c.exitCode(), c.lastLines()));
  }

  /** Whether a container id is one of this run's, or might be. */
  synchronized boolean concerns(String id) {
    return onHost && (ids.size() < containers.size() || ids.containsValue(id));
  }

  /** The form in which log lines name the run. */
  @Override
  public String toString() {
    return run.namespace() + "/" + run.name() + " epoch " + run.epoch();
  }
}
