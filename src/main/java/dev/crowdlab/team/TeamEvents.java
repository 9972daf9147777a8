package dev.crowdlab.team;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.AgentListener;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.protocol.FromAgent;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the reconciler which teams to look at: hears agents and machines, and passes the news on at
 * once. A machine's change concerns the teams bound to it, and those of its namespace that wait for
 * room.
 *
 * <p>Thread-safe; no method blocks.
 */
public final class TeamEvents implements AgentListener, ResourceEventHandler<ContributedVM> {

  private static final Logger LOG = LoggerFactory.getLogger(TeamEvents.class);
  private static final Duration EXAMINE_AGAIN = Duration.ofSeconds(2);
  private static final Duration EXAMINE_SELDOM = Duration.ofSeconds(30);

  /** How much longer than an examination the rest after it is. */
  private static final int REST_FACTOR = 9;

  private static final Duration LONGEST_REST = Duration.ofSeconds(5);

  /** Machines examined at a time: a machine waits for the API server, not for other machines. */
  private static final int MAX_READING = 16;

  private final Teams teams;
  private final StaleRuns staleRuns;
  private final ScheduledExecutorService executor;
  private final SimpleInboundEventSource<LabTeam> source =
      new SimpleInboundEventSource<>("team-events");
  private final Consumer<TeamRef> drift;
  private final Consumer<TeamRef> correction;

  /** The machines that are being examined; true: once more then, something came in between. */
  private final Map<VmRef, Boolean> examining = new ConcurrentHashMap<>();

  private final Semaphore reading = new Semaphore(MAX_READING);

  /** The machines whose next examination has its time. */
  private final Set<VmRef> due = ConcurrentHashMap.newKeySet();

  /** The last wait of those that run what status does not know. */
  private final Map<VmRef, Duration> waits = new ConcurrentHashMap<>();

  /**
   * Passes news on.
   *
   * @param drift hears of a route that drifted before its team is looked at
   * @param correction hears of a team before it is looked at because what it may wait for was
   *     corrected
   * @param executor keeps the time; its owner closes it, and then nothing is examined any more
   */
  TeamEvents(
      Teams teams,
      StaleRuns staleRuns,
      Consumer<TeamRef> drift,
      Consumer<TeamRef> correction,
      ScheduledExecutorService executor) {
    this.teams = requireNonNull(teams, "teams");
    this.staleRuns = requireNonNull(staleRuns, "staleRuns");
    this.drift = requireNonNull(drift, "drift");
    this.correction = requireNonNull(correction, "correction");
    this.executor = requireNonNull(executor, "executor");
  }

  /** The event source for JOSDK; the cache's index serves {@link Teams#boundTo}. */
  EventSource<?, LabTeam> source(IndexerResourceCache<LabTeam> cache) {
    if (teams instanceof KubernetesTeams indexed) {
      indexed.serveFrom(cache);
    }
    return source;
  }

  @Override
  public void sessionChanged(VmRef vm) {
    examine(vm);
    wakeBound(vm);
  }

  @Override
  public void healthChanged(VmRef vm, VmHealth health) {
    wakeBound(vm);
    if (health instanceof VmHealth.Alive) {
      roomChanged(vm.namespace());
    }
  }

  @Override
  public void teamChanged(VmRef vm, String namespace, String name) {
    wake(namespace, name);
    if (!staleRuns.isClean(vm) || staleRuns.isSuspect(vm, namespace, name)) {
      examine(vm);
    }
  }

  @Override
  public void notice(VmRef vm, FromAgent.Notice.Kind kind) {
    // What the contributor wishes is the machine's matter: it reaches teams as a drain of it.
  }

  @Override
  public void diskChanged(VmRef vm) {
    // Its teams stay; that it takes no new one they see in its status.
  }

  @Override
  public void onAdd(ContributedVM vm) {
    wakeBound(VmView.ref(vm));
    roomChanged(vm.getMetadata().getNamespace());
  }

  @Override
  public void onUpdate(ContributedVM before, ContributedVM now) {
    VmView view = VmView.of(now);
    if (!view.equals(VmView.of(before))) {
      wakeBound(view.ref());
      roomChanged(view.ref().namespace());
    }
  }

  @Override
  public void onDelete(ContributedVM vm, boolean finalStateUnknown) {
    wakeBound(VmView.ref(vm));
  }

  /** A namespace may have room that it had not: teams that wait for it look again. */
  public void roomChanged(String namespace) {
    if (!source.isRunning()) {
      return; // Each team is looked at when the operator starts.
    }
    teams.cached(namespace).stream()
        .filter(TeamEvents::waitsForRoom)
        .forEach(team -> wake(namespace, team.getMetadata().getName()));
  }

  /** Somebody changed a part of the team's route: it is looked at again. */
  public void routeDrifted(TeamRef team) {
    drift.accept(team);
    wake(team.namespace(), team.name());
  }

  /** A Secret came, changed or went: the teams that pull with it are looked at again. */
  public void secretChanged(ResourceID secret) {
    if (source.isRunning()) {
      teams
          .pullingWith(secret.getNamespace().orElse(""), secret.getName())
          .forEach(this::corrected);
    }
  }

  /** The file server can be reached, again: the teams that wait for it are looked at again. */
  public void fileServerReached() {
    if (source.isRunning()) {
      teams.cached().stream()
          .filter(TeamEvents::waitsForFileServer)
          .map(KubernetesTeams::ref)
          .forEach(this::corrected);
    }
  }

  /** A host, or a path of it, may have become free: the teams that wait for it look again. */
  public void hostFreed(String host) {
    if (source.isRunning()) {
      teams.cached().stream()
          .filter(team -> waitsForHost(team, host))
          .map(KubernetesTeams::ref)
          .forEach(this::corrected);
    }
  }

  private void corrected(TeamRef team) {
    correction.accept(team);
    changed(team);
  }

  /** Something else that concerns the team is not as it was. */
  void changed(TeamRef team) {
    wake(team.namespace(), team.name());
  }

  /**
   * Examines what the machine runs, on a thread of the machine's own; again a little later when the
   * API server does not answer, or when a run is there that status does not know yet.
   */
  void examine(VmRef vm) {
    boolean runs = examining.merge(vm, false, (before, first) -> true);
    if (!runs) {
      Thread.ofVirtual().name("examine-" + vm.name()).start(() -> examineInTurn(vm));
    }
  }

  private void examineInTurn(VmRef vm) {
    do {
      long began = System.nanoTime();
      reading.acquireUninterruptibly();
      try {
        examineNow(vm);
      } finally {
        reading.release();
      }
      rest(System.nanoTime() - began);
      // Null, and so the end, unless it was asked for once more.
    } while (examining.computeIfPresent(vm, (key, again) -> again ? false : null) != null);
  }

  /**
   * Whatever a machine says, and however much, the API server is asked because of it for a small
   * part of the time only.
   */
  private static void rest(long took) {
    try {
      TimeUnit.NANOSECONDS.sleep(Math.min(REST_FACTOR * took, LONGEST_REST.toNanos()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void examineNow(VmRef vm) {
    if (executor.isShutdown()) {
      LOG.debug("{}: not examined, the operator stops", vm);
      return;
    }
    boolean before = staleRuns.isClean(vm);
    try {
      switch (staleRuns.examine(vm)) {
        case CLEAN, NOT_CLEAN -> waits.remove(vm);
        case CLEAN_SO_FAR ->
            examineLater(vm, waits.merge(vm, EXAMINE_AGAIN, (last, first) -> longer(last)));
      }
    } catch (RuntimeException e) {
      LOG.warn("{}: what it runs could not be examined: {}", vm, e.getMessage());
      examineLater(vm, EXAMINE_AGAIN);
    }
    if (!before && staleRuns.isClean(vm)) {
      roomChanged(vm.namespace());
    }
  }

  private static Duration longer(Duration wait) {
    Duration twice = wait.multipliedBy(2);
    return twice.compareTo(EXAMINE_SELDOM) < 0 ? twice : EXAMINE_SELDOM;
  }

  /** However often it is asked for, one is due at a time. */
  private void examineLater(VmRef vm, Duration wait) {
    if (!due.add(vm)) {
      return;
    }
    try {
      var _ =
          executor.schedule(
              () -> {
                due.remove(vm);
                examine(vm);
              },
              wait.toMillis(),
              TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("{}: not examined, the operator stops", vm);
    }
  }

  /** A lost machine's team keeps its binding until there is a better one. */
  private static boolean waitsForRoom(LabTeam team) {
    return team.getStatus().binding() == null
        || !Conditions.holds(team.getStatus().conditions(), ConditionType.PLACED);
  }

  private static boolean waitsForFileServer(LabTeam team) {
    return Conditions.hasReason(
        team.getStatus().conditions(),
        ConditionType.WORKSPACE_ATTACHED,
        Reason.FILE_SERVER_UNAVAILABLE);
  }

  private static boolean waitsForHost(LabTeam team, String host) {
    return Conditions.hasReason(
            team.getStatus().conditions(), ConditionType.ROUTED, Reason.HOST_TAKEN)
        && team.getSpec().access().host().equalsIgnoreCase(host);
  }

  private void wakeBound(VmRef vm) {
    if (!source.isRunning()) {
      return;
    }
    for (TeamRef team : teams.boundTo(vm.uid())) {
      wake(team.namespace(), team.name());
    }
  }

  private void wake(String namespace, String name) {
    source.propagateEvent(new ResourceID(name, namespace));
  }
}
