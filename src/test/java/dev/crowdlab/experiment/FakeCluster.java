package dev.crowdlab.experiment;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/** A cluster whose operator does everything at once, as a test says. */
final class FakeCluster implements Cluster {

  /** The status that a new team comes to. */
  LabTeamStatus created = Statuses.ready("alice", 1);

  final Map<String, LabTeamStatus> teams = new HashMap<>();
  final List<String> calls = new ArrayList<>();

  @Override
  public String namespace() {
    return "lab";
  }

  @Override
  public void create(String team) {
    calls.add("create " + team);
    teams.put(team, created);
  }

  @Override
  public LabTeam await(String name, String what, Predicate<LabTeam> wanted, Duration bound)
      throws TimeoutException {
    LabTeam team = new LabTeam();
    team.setMetadata(new ObjectMetaBuilder().withName(name).withNamespace("lab").build());
    team.setStatus(teams.getOrDefault(name, LabTeamStatus.EMPTY));
    if (!wanted.test(team)) {
      throw new TimeoutException(name + " is not " + what);
    }
    return team;
  }

  @Override
  public Set<String> readyMachines() {
    return Set.of("alice", "bob");
  }

  @Override
  public void awaitMachines(Set<String> names, Duration bound) {
    calls.add("await machines");
  }

  @Override
  public void delete(String team, Duration bound) {
    calls.add("delete " + team);
    teams.remove(team);
  }
}
