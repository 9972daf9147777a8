package dev.crowdlab.team;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.route.Routes.Target;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All of a team that an edit could touch, at one moment: two equal worlds mean that nothing
 * happened.
 *
 * @param told what its machines were sent, about any team
 * @param fences what the file server did, for any team
 * @param limit the workspace's size as the file server has it, in bytes; 0 when there is none
 * @param route where students are sent
 * @param access what the route was written for
 */
record TeamWorld(
    Optional<Binding> binding,
    Optional<Long> highestEpoch,
    Map<VmRef, List<ToAgent>> told,
    List<String> fences,
    long limit,
    Optional<Target> route,
    Optional<AccessSpec> access,
    Optional<String> url,
    List<String> conditions,
    int recoveries) {

  static TeamWorld of(TeamBed bed, String name, List<VmRef> machines) {
    LabTeamStatus status = bed.status(name);
    TeamRef ref = TeamBed.ref(name);
    Map<VmRef, List<ToAgent>> told = new LinkedHashMap<>();
    machines.forEach(vm -> told.put(vm, bed.agents.sent(vm)));
    return new TeamWorld(
        Optional.ofNullable(status.binding()),
        Optional.ofNullable(status.highestEpoch()),
        told,
        bed.workspaces.changes(),
        bed.workspaces.standing(bed.workspace(name)).map(r -> r.sizeBytes()).orElse(0L),
        bed.routes.target(ref),
        bed.routes.access(ref),
        Optional.ofNullable(status.url()),
        conditions(status.conditions()),
        status.recoveries().size());
  }

  /** The same, but for the route's form. */
  TeamWorld withAccess(AccessSpec newAccess, String newUrl) {
    return new TeamWorld(
        binding,
        highestEpoch,
        told,
        fences,
        limit,
        route,
        Optional.of(newAccess),
        Optional.of(newUrl),
        conditions,
        recoveries);
  }

  /** The same, but for the workspace's size. */
  TeamWorld withLimit(long newLimit) {
    return new TeamWorld(
        binding, highestEpoch, told, fences, newLimit, route, access, url, conditions, recoveries);
  }

  /** The same, but for the conditions. */
  TeamWorld withConditions(List<String> newConditions) {
    return new TeamWorld(
        binding, highestEpoch, told, fences, limit, route, access, url, newConditions, recoveries);
  }

  static List<String> conditions(List<Condition> conditions) {
    return conditions.stream()
        .map(c -> c.getType() + "=" + c.getStatus() + ":" + c.getReason())
        .sorted()
        .toList();
  }
}
