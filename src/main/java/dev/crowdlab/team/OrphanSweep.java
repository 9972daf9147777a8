package dev.crowdlab.team;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.storage.WorkspaceId;
import dev.crowdlab.storage.Workspaces;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends what outlived its team: a workspace whose team was given up while the file server was away
 * is retired, so that its last login ends and its retention begins; what this process remembers of
 * teams that are no more is forgotten.
 *
 * <p>What there is is listed first, the teams second: whatever belongs to a team that came to be
 * meanwhile is not in the first list, and whatever is in it and has no team had one that is gone.
 */
public final class OrphanSweep implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(OrphanSweep.class);
  private static final Duration PERIOD = Duration.ofMinutes(10);

  /** Of all retirements of one sweep; the next one goes on. */
  private static final Duration SWEEP_BOUND = Duration.ofMinutes(5);

  private final Workspaces workspaces;
  private final Teams teams;
  private final TeamLoop loop;
  private final Agents agents;
  private final TeamSettings settings;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("orphan-sweep").daemon().factory());
  private boolean started;

  OrphanSweep(
      Workspaces workspaces, Teams teams, TeamLoop loop, Agents agents, TeamSettings settings) {
    this.workspaces = requireNonNull(workspaces, "workspaces");
    this.teams = requireNonNull(teams, "teams");
    this.loop = requireNonNull(loop, "loop");
    this.agents = requireNonNull(agents, "agents");
    this.settings = requireNonNull(settings, "settings");
  }

  /** Sweeps now and then again and again: to be called when leadership is won. */
  public synchronized void start() {
    if (started) {
      return;
    }
    started = true;
    try {
      var _ = timer.scheduleWithFixedDelay(this::guarded, 0, PERIOD.toSeconds(), TimeUnit.SECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed; nothing is swept");
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }

  /** A sweep that fails must not be the last one. */
  private void guarded() {
    try {
      sweep();
    } catch (RuntimeException e) {
      LOG.warn("what outlived its team could not be looked for: {}", e.getMessage());
    } catch (Error e) {
      LOG.error("what outlived its team could not be looked for", e);
    }
  }

  /**
   * Sweeps once.
   *
   * @throws io.fabric8.kubernetes.client.KubernetesClientException when the teams cannot be listed;
   *     nothing was changed then
   */
  void sweep() {
    Set<String> remembered = loop.remembered();
    Set<String> ordered = agents.orderedTeams();
    Optional<Set<WorkspaceId>> standing = standing();
    List<LabTeam> live = teams.listLive();
    Set<String> uids =
        live.stream().map(team -> team.getMetadata().getUid()).collect(Collectors.toSet());
    loop.forget(without(remembered, uids));
    agents.forgetTeams(without(ordered, uids));
    Set<WorkspaceId> theirs =
        live.stream().map(settings::workspace).collect(Collectors.toUnmodifiableSet());
    standing.ifPresent(all -> retire(without(all, theirs)));
  }

  private Optional<Set<WorkspaceId>> standing() {
    return switch (workspaces.standing(settings.installation(), bound())) {
      case Outcome.Done<Set<WorkspaceId>>(Set<WorkspaceId> all) -> Optional.of(all);
      case Outcome.InProgress<Set<WorkspaceId>> _ -> Optional.empty();
      case Outcome.Failed<Set<WorkspaceId>>(Failure why) -> {
        if (why.reason() != Reason.FILE_SERVER_NOT_CONFIGURED) {
          LOG.info("workspaces without a team are not looked for now: {}", why.message());
        }
        yield Optional.empty();
      }
    };
  }

  private void retire(Set<WorkspaceId> orphans) {
    Deadline all = Deadline.in(SWEEP_BOUND);
    for (WorkspaceId orphan : new ArrayList<>(orphans)) {
      if (all.passed() || Thread.currentThread().isInterrupted()) {
        return;
      }
      switch (workspaces.retire(orphan, settings.retention(), bound())) {
        case Outcome.Done<Void> _ ->
            LOG.info(
                "workspace {}: its team is no more, retired for {}", orphan, settings.retention());
        case Outcome.InProgress<Void> _ -> {}
        case Outcome.Failed<Void>(Failure why) -> {
          LOG.warn("workspace {}: its team is no more, not retired yet: {}", orphan, why.message());
          if (why.reason() == Reason.FILE_SERVER_UNAVAILABLE) {
            return;
          }
        }
      }
    }
  }

  private Deadline bound() {
    return Deadline.in(settings.bounds().fence());
  }

  private static <T> Set<T> without(Set<T> all, Set<T> those) {
    Set<T> left = new HashSet<>(all);
    left.removeAll(those);
    return left;
  }
}
