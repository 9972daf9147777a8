package dev.crowdlab.team;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.storage.Workspaces;
import dev.crowdlab.storage.Workspaces.Usage;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the file server now and then how full the workspaces are whose size a quota enforces. A
 * machine cannot tell: it sees the free space of the file system, in which a user's quota does not
 * show.
 *
 * <p>Thread-safe; only looking blocks.
 */
final class QuotaWatch {

  /** Between the end of one look at all workspaces and the begin of the next. */
  static final Duration PERIOD = Duration.ofSeconds(20);

  private static final Logger LOG = LoggerFactory.getLogger(QuotaWatch.class);
  private static final Duration BOUND = Duration.ofSeconds(5);

  /** A file system gives space away by blocks: with less than one left, nothing more fits. */
  private static final long BLOCK = 4096;

  private final Teams teams;
  private final Workspaces workspaces;
  private final TeamSettings settings;
  private final Set<String> full = ConcurrentHashMap.newKeySet();

  QuotaWatch(Teams teams, Workspaces workspaces, TeamSettings settings) {
    this.teams = requireNonNull(teams, "teams");
    this.workspaces = requireNonNull(workspaces, "workspaces");
    this.settings = requireNonNull(settings, "settings");
  }

  /** Whether the team of this UID had no room left at the last look. */
  boolean isFull(String teamUid) {
    return full.contains(teamUid);
  }

  /**
   * One look at all of them; ends early when the file server does not answer.
   *
   * @param changed hears of each team whose workspace is full now, or not any more
   */
  void look(Consumer<TeamRef> changed) {
    Set<String> seen = ConcurrentHashMap.newKeySet();
    for (LabTeam team : teams.cached()) {
      if (!hasQuota(team)) {
        continue;
      }
      Outcome<Usage> outcome = look(team, changed);
      if (outcome instanceof Outcome.Failed<Usage>(Outcome.Failure failure)
          && failure.kind() == Outcome.Failure.Kind.TRANSIENT) {
        LOG.debug("not known how full workspaces are: {}", failure.message());
        return;
      }
      if (outcome instanceof Outcome.Done<Usage>) {
        seen.add(team.getMetadata().getUid());
      }
    }
    full.retainAll(seen);
  }

  /** One look at one of them, whose quota was just set; what fails is left for the next of all. */
  void look(LabTeam team) {
    var _ = look(team, ref -> {});
  }

  /** Asks and remembers in one: an older answer never comes after a newer one. */
  private synchronized Outcome<Usage> look(LabTeam team, Consumer<TeamRef> changed) {
    Outcome<Usage> outcome = workspaces.usage(settings.workspace(team), Deadline.in(BOUND));
    if (outcome instanceof Outcome.Done<Usage>(Usage usage)) {
      String uid = team.getMetadata().getUid();
      if (isFull(usage) ? full.add(uid) : full.remove(uid)) {
        changed.accept(KubernetesTeams.ref(team));
      }
    }
    return outcome;
  }

  private static boolean isFull(Usage usage) {
    return usage.limitBytes() > 0 && usage.limitBytes() - usage.usedBytes() < BLOCK;
  }

  /** Its machine has it mounted, and its size is enforced. */
  private static boolean hasQuota(LabTeam team) {
    var conditions = team.getStatus().conditions();
    return Conditions.holds(conditions, ConditionType.WORKSPACE_ATTACHED)
        && !Conditions.hasReason(
            conditions, ConditionType.WORKSPACE_ATTACHED, Reason.QUOTA_UNAVAILABLE);
  }
}
