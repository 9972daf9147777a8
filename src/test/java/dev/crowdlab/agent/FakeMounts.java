package dev.crowdlab.agent;

import dev.crowdlab.protocol.ToAgent;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Mounts in memory, and the file server's mind. */
final class FakeMounts implements Mounts {

  private final FakePods pods;
  private final Map<Place, Health> mounted = new HashMap<>();
  private Attach answer = new Attach.Attached();
  private boolean broken;
  private int attempts;
  private int aborts;
  private int logins;
  private boolean flaky;

  FakeMounts(FakePods pods) {
    this.pods = pods;
  }

  synchronized void serverSays(Attach now) {
    answer = now;
  }

  synchronized void health(Place place, Health health) {
    mounted.put(place, health);
  }

  synchronized boolean isMounted(Place place) {
    return mounted.containsKey(place);
  }

  synchronized int attempts() {
    return attempts;
  }

  synchronized void everySecondLoginFails() {
    flaky = true;
  }

  synchronized int logins() {
    return logins;
  }

  synchronized int aborts() {
    return aborts;
  }

  /** The next folder cannot be made, because of a bug. */
  synchronized void breakDown() {
    broken = true;
  }

  @Override
  public synchronized Path prepare(Place place) {
    if (broken) {
      broken = false;
      throw new IllegalStateException("a bug");
    }
    Path path = path(place);
    pods.folder(path, true);
    return path;
  }

  static Path path(Place place) {
    return Path.of("/run/crowdlab/teams", place.teamUid(), Long.toString(place.epoch()));
  }

  @Override
  public synchronized Attach attach(
      Place place, ToAgent.Mount mount, CompletableFuture<Void> cancel) {
    attempts++;
    if (answer instanceof Attach.Attached) {
      mounted.put(place, Health.ALIVE);
    }
    return answer;
  }

  @Override
  public synchronized Attach login(
      Place place, ToAgent.Mount mount, CompletableFuture<Void> cancel) {
    logins++;
    return flaky && logins % 2 == 1 ? new Attach.Unreachable("lost on the way") : answer;
  }

  @Override
  public synchronized Health health(Place place) {
    return mounted.getOrDefault(place, Health.DEAD);
  }

  /** Frees processes that waited for the mount, as the kernel does. */
  @Override
  public synchronized void abort(Place place) {
    aborts++;
    mounted.computeIfPresent(place, (p, health) -> Health.DEAD);
    pods.unkillable(false);
  }

  @Override
  public synchronized boolean settle(Place place) {
    boolean alive = mounted.get(place) == Health.ALIVE || mounted.get(place) == Health.FULL;
    if (alive) {
      mounted.remove(place);
    }
    return alive;
  }

  @Override
  public synchronized boolean detach(Place place) {
    mounted.remove(place);
    pods.folder(path(place), false);
    return true;
  }
}
