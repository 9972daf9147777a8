package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.SecretRef;
import dev.crowdlab.core.TeamRef;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Teams in memory, as an API server keeps them: a write must carry the resourceVersion that stands.
 * The cache is a copy that may be held back.
 */
final class FakeTeams implements Teams {

  private int reads;

  private final Map<String, LabTeam> live = new TreeMap<>();
  private final Map<String, LabTeam> cache = new HashMap<>();
  private final List<LabTeamStatus> writes = new ArrayList<>();
  private Consumer<LabTeam> beforeWrite = team -> {};
  private Runnable afterList = () -> {};
  private boolean cacheIsHeld;
  private boolean down;
  private long version = 100;

  synchronized void create(LabTeam team) {
    put(team);
  }

  /** Someone edits the team: a new generation when it is the spec. */
  synchronized void edit(String name, Consumer<LabTeam> change) {
    LabTeam team = copy(live.get(name));
    LabTeamSpec before = team.getSpec();
    change.accept(team);
    if (!Objects.equals(before, team.getSpec())) {
      team.getMetadata().setGeneration(team.getMetadata().getGeneration() + 1);
    }
    put(team);
  }

  synchronized void editStatus(String name, UnaryOperator<LabTeamStatus> change) {
    LabTeam team = copy(live.get(name));
    team.setStatus(change.apply(team.getStatus()));
    put(team);
  }

  /** The object is gone: its finalizer went. */
  synchronized void vanish(String name) {
    live.remove(name);
    if (!cacheIsHeld) {
      cache.remove(name);
    }
  }

  /** From now on the cache lags behind, until it is released. */
  synchronized void holdCache(boolean hold) {
    cacheIsHeld = hold;
    if (!hold) {
      cache.clear();
      live.forEach((name, team) -> cache.put(name, copy(team)));
    }
  }

  /** The API server does not answer. */
  synchronized void down(boolean value) {
    down = value;
  }

  /** Called with the team about to be written, before the resourceVersions are compared. */
  void beforeWrite(Consumer<LabTeam> hook) {
    beforeWrite = hook;
  }

  /** From now on called when {@link #listLive} has made its list. */
  synchronized void afterList(Runnable hook) {
    afterList = hook;
  }

  synchronized Optional<LabTeam> fromCache(String name) {
    return Optional.ofNullable(cache.get(name)).map(FakeTeams::copy);
  }

  synchronized LabTeam get(String name) {
    return copy(Objects.requireNonNull(live.get(name), name));
  }

  synchronized boolean exists(String name) {
    return live.containsKey(name);
  }

  /** How often somebody read a team from the API server. */
  synchronized int reads() {
    return reads;
  }

  /** Every status that was written, in order. */
  synchronized List<LabTeamStatus> writes() {
    return List.copyOf(writes);
  }

  @Override
  public synchronized Optional<LabTeam> live(String namespace, String name) {
    answer();
    reads++;
    return Optional.ofNullable(live.get(name)).map(FakeTeams::copy);
  }

  @Override
  public synchronized List<LabTeam> listLive() {
    answer();
    List<LabTeam> all = live.values().stream().map(FakeTeams::copy).toList();
    afterList.run();
    return all;
  }

  @Override
  public synchronized Written write(LabTeam team) {
    answer();
    beforeWrite.accept(team);
    LabTeam standing = live.get(team.getMetadata().getName());
    if (standing == null || !uid(standing).equals(uid(team))) {
      return new Gone();
    }
    if (!version(standing).equals(version(team))) {
      return new Conflict();
    }
    LabTeam next = copy(standing);
    next.setStatus(team.getStatus());
    writes.add(team.getStatus());
    put(next);
    return new Stands(get(team.getMetadata().getName()));
  }

  @Override
  public synchronized List<LabTeam> cached(String namespace) {
    return cache.values().stream().map(FakeTeams::copy).toList();
  }

  @Override
  public synchronized List<LabTeam> cached() {
    return cached("lab");
  }

  @Override
  public synchronized List<TeamRef> boundTo(String vmUid) {
    return cache.values().stream()
        .filter(
            team ->
                Stream.concat(
                        Stream.ofNullable(team.getStatus().binding()),
                        team.getStatus().superseded().stream())
                    .map(Binding::vmUid)
                    .anyMatch(vmUid::equals))
        .map(team -> new TeamRef("lab", team.getMetadata().getName(), uid(team)))
        .toList();
  }

  @Override
  public synchronized List<TeamRef> pullingWith(String namespace, String secret) {
    return cache.values().stream()
        .filter(
            team -> new SecretRef(secret).equals(team.getSpec().exercise().imagePullSecretRef()))
        .map(team -> new TeamRef("lab", team.getMetadata().getName(), uid(team)))
        .toList();
  }

  private void put(LabTeam team) {
    team.getMetadata().setResourceVersion(Long.toString(++version));
    live.put(team.getMetadata().getName(), copy(team));
    if (!cacheIsHeld) {
      cache.put(team.getMetadata().getName(), copy(team));
    }
  }

  private void answer() {
    if (down) {
      throw new io.fabric8.kubernetes.client.KubernetesClientException("no answer");
    }
  }

  private static String uid(LabTeam team) {
    return team.getMetadata().getUid();
  }

  private static String version(LabTeam team) {
    return team.getMetadata().getResourceVersion();
  }

  private static LabTeam copy(LabTeam team) {
    LabTeam copy = new LabTeam();
    copy.setMetadata(new ObjectMetaBuilder(team.getMetadata()).build());
    copy.setSpec(team.getSpec());
    copy.setStatus(team.getStatus());
    return copy;
  }
}
