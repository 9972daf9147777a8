package dev.crowdlab.route;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Routes in memory: remembers where each team's URL leads, counts real changes, and fails as long
 * as it is told to.
 */
public final class FakeRoutes implements Routes {

  private final Map<TeamRef, Standing> standing = new LinkedHashMap<>();
  private final List<String> changes = new ArrayList<>();
  private Outcome.@Nullable Failure failure;
  private HostClaims.HostUsers users = host -> List.of();

  private record Standing(Target target, AccessSpec access) {}

  @Override
  public synchronized Outcome<Route> point(LabTeam team, Target target) {
    if (failure != null) {
      return new Outcome.Failed<>(failure);
    }
    Optional<Outcome.Failure> refusal =
        HostClaims.refusal(team, users.of(team.getSpec().access().host()));
    if (refusal.isPresent()) {
      return new Outcome.Failed<>(refusal.get());
    }
    TeamRef ref = ref(team);
    Standing wanted = new Standing(target, team.getSpec().access());
    if (!wanted.equals(standing.put(ref, wanted))) {
      changes.add(ref + " -> " + target);
    }
    return Outcome.done(new Route(RouteUrl.of(wanted.access())));
  }

  @Override
  public synchronized Outcome<Void> remove(TeamRef team) {
    if (failure != null) {
      return new Outcome.Failed<>(failure);
    }
    if (standing.remove(team) != null) {
      changes.add(team + " removed");
    }
    return Outcome.done();
  }

  /** Where the team's URL leads now; empty when it has no route. */
  public synchronized Optional<Target> target(TeamRef team) {
    return Optional.ofNullable(standing.get(team)).map(Standing::target);
  }

  /** What the team's route was last written for; empty when it has no route. */
  public synchronized Optional<AccessSpec> access(TeamRef team) {
    return Optional.ofNullable(standing.get(team)).map(Standing::access);
  }

  /** Every change so far, in order; a call that changed nothing is not among them. */
  public synchronized List<String> changes() {
    return List.copyOf(changes);
  }

  /** From now on a host belongs to one of these; else nobody's host is another's. */
  public synchronized void hostUsers(HostClaims.HostUsers users) {
    this.users = users;
  }

  /** From now on every call fails so. */
  public synchronized void failWith(Outcome.Failure failure) {
    this.failure = failure;
  }

  /** From now on calls succeed again. */
  public synchronized void heal() {
    failure = null;
  }

  private static TeamRef ref(LabTeam team) {
    return new TeamRef(
        team.getMetadata().getNamespace(),
        team.getMetadata().getName(),
        team.getMetadata().getUid());
  }
}
