package dev.crowdlab.agent;

import dev.crowdlab.agent.Mounts.Attach;
import dev.crowdlab.agent.Mounts.Health;
import dev.crowdlab.protocol.FromAgent.Prepared;
import dev.crowdlab.protocol.FromAgent.TeamGone;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One team on this VM: obeys the hub's orders about it one after the other, and in between looks
 * after what runs. Works on one thread at a time, taken from the pool only while there is something
 * to do.
 */
final class TeamWorker {

  private static final Logger LOG = Logger.getLogger(TeamWorker.class.getName());

  private final String teamUid;
  private final Host host;
  private final Reporter reporter;
  private final Timings timings;
  private final Executor executor;
  private final ScheduledExecutorService timer;

  // Guarded by this.
  private final Deque<ToAgent> orders = new ArrayDeque<>();
  private boolean working;
  private boolean awake;
  private boolean exitSeen;
  private CompletableFuture<Void> cancel = new CompletableFuture<>();
  private @Nullable ScheduledFuture<?> alarm;

  // Written by the thread that works only.
  private volatile @Nullable Deployment deployment;

  TeamWorker(
      String teamUid,
      Host host,
      Reporter reporter,
      Timings timings,
      Executor executor,
      ScheduledExecutorService timer) {
    this.teamUid = teamUid;
    this.host = host;
    this.reporter = reporter;
    this.timings = timings;
    this.executor = executor;
    this.timer = timer;
  }

  /** Takes what an earlier agent left running as its own. Before any order. */
  void adopt(ToAgent.Run run) {
    Deployment found = new Deployment(run);
    found.onHost = true;
    deployment = found;
    try {
      host.capacity().reserve(run);
      Making.openFirewall(host, found);
    } catch (RunException e) {
      LOG.warning(found + ": adopted, but " + e.text());
    }
    found.allRunning();
    found.healthyBefore = true;
    found.set(State.HEALTHY, null, null);
    LOG.info(found + ": runs since before this agent, left alone");
    wake();
  }

  /** Removes what an earlier agent did not finish; tries again later when it cannot be done now. */
  void discard(ToAgent.Run run) {
    Deployment found = new Deployment(run);
    found.onHost = true;
    found.set(State.STOPPING, null, null);
    LOG.info(found + ": is incomplete since before this agent, removing it");
    if (!remove(found, Duration.ZERO)) {
      deployment = found;
      wake();
    }
  }

  /** Whether anything is, or may be, on the VM. */
  Optional<TeamReport> present() {
    Deployment present = deployment;
    return present != null && present.onHost ? Optional.of(present.report()) : Optional.empty();
  }

  /** Whether it may be forgotten. */
  synchronized boolean idle() {
    return !working && orders.isEmpty() && deployment == null;
  }

  synchronized void order(ToAgent order) {
    Deployment present = deployment;
    long busyWith = present == null ? 0 : present.run.epoch();
    boolean overtakes =
        order instanceof ToAgent.Stop ? epoch(order) >= busyWith : epoch(order) > busyWith;
    orders.removeIf(waiting -> isSuperseded(waiting, order));
    orders.addLast(order);
    if (overtakes) {
      cancel.complete(null);
    }
    wake();
  }

  /**
   * Whether an order that waits need not be carried out once a newer one is there: its answer is in
   * the newer one's. So there are never more than a few, and none holds up what ends it.
   */
  private static boolean isSuperseded(ToAgent waiting, ToAgent newer) {
    return switch (waiting) {
      case ToAgent.Prepare prepare -> epoch(prepare) <= epoch(newer);
      case ToAgent.Run run -> !(newer instanceof ToAgent.Prepare) && run.epoch() <= epoch(newer);
      case ToAgent.Stop stop ->
          newer instanceof ToAgent.Stop other && stop.epoch() <= other.epoch();
      default -> false;
    };
  }

  private static long epoch(ToAgent order) {
    return switch (order) {
      case ToAgent.Prepare(_, _, _, ToAgent.Run run) when run != null -> run.epoch();
      case ToAgent.Run run -> run.epoch();
      case ToAgent.Stop stop -> stop.epoch();
      default -> throw new IllegalArgumentException("not about a team: " + order);
    };
  }

  /** A container of the VM ended: perhaps one of ours. */
  void containerEnded(String id) {
    Deployment present = deployment;
    if (present != null && present.concerns(id)) {
      synchronized (this) {
        exitSeen = true;
      }
      wake();
    }
  }

  private synchronized void wake() {
    awake = true;
    if (!working) {
      working = true;
      try {
        executor.execute(this::work);
      } catch (RuntimeException | Error e) {
        // There was no thread to be had: whoever wakes it next tries again.
        working = false;
        throw e;
      }
    }
  }

  private void work() {
    while (true) {
      ToAgent order;
      CompletableFuture<Void> mine;
      boolean exit;
      synchronized (this) {
        if (!awake) {
          working = false;
          return;
        }
        order = orders.pollFirst();
        awake = !orders.isEmpty();
        exit = exitSeen;
        exitSeen = false;
        if (cancel.isDone()) {
          cancel = new CompletableFuture<>();
        }
        mine = cancel;
      }
      try {
        switch (order) {
          case ToAgent.Run run -> run(run, mine);
          case ToAgent.Prepare(_, _, _, ToAgent.Run run) when run != null -> makeAhead(run);
          case ToAgent.Stop stop -> stop(stop);
          case null, default -> look(exit, mine);
        }
      } catch (RuntimeException | Error e) {
        // Not even an error may end this: nobody would look after the team any more.
        LOG.log(Level.SEVERE, "team " + teamUid + ": a step failed", e);
        Deployment present = deployment;
        if (present != null) {
          present.doomed = present.onHost;
          tell(present, State.FAILED, RunFailure.INTERNAL, Texts.message("the agent failed: " + e));
        }
      }
      setAlarm();
    }
  }

  private synchronized void setAlarm() {
    if (alarm != null) {
      alarm.cancel(false);
      alarm = null;
    }
    Deployment present = deployment;
    if (present == null || !present.onHost) {
      return;
    }
    long wait = Math.max(0, present.nextLook - System.nanoTime());
    alarm = timer.schedule(this::wake, wait, TimeUnit.NANOSECONDS);
  }

  // ---- orders

  private void run(ToAgent.Run run, CompletableFuture<Void> cancelled) {
    Deployment present = deployment;
    boolean mountedBefore;
    try {
      if (!host.epochs().admit(run.teamUid(), run.epoch())) {
        LOG.info(new Deployment(run) + ": refused, a higher epoch was seen");
        Deployment refused = new Deployment(run);
        refused.set(
            State.FAILED, RunFailure.EPOCH_REFUSED, "this VM has seen a higher epoch of the team");
        reporter.report(refused.report());
        return;
      }
      mountedBefore = host.epochs().isMounted(run.teamUid(), run.epoch());
    } catch (IOException e) {
      fail(new Deployment(run), RunFailure.INTERNAL, "the epoch cannot be written: " + e);
      return;
    }
    if (present != null && present.isAheadOf(run)) {
      bringUp(present, run, cancelled);
      return;
    }
    if (present != null && present.run.epoch() == run.epoch() && !present.ahead) {
      if (present.onHost && present.stop != null) {
        // It is still being taken away, as an order of before wanted: then it begins anew.
        present.stop = null;
        present.after = run;
        return;
      }
      boolean isOver = present.code == RunFailure.EPOCH_REFUSED || mountedBefore;
      if (present.onHost || (isOver && present.code != null)) {
        renew(present, run);
        return;
      }
    } else if (present != null && present.onHost) {
      if (!remove(present, Duration.ZERO)) {
        // The old epoch's remains keep the new one from starting: the order waits for them.
        present.after = run;
        return;
      }
      goneIfAsked(present);
    }
    if (mountedBefore) {
      // As after a reboot. What the earlier mount had under way may still arrive, until a fence.
      fail(new Deployment(run), RunFailure.MOUNT_LOST, "this VM had mounted the epoch before");
      return;
    }
    bringUp(new Deployment(run), run, cancelled);
  }

  /**
   * What needs no fence, before the run is ordered; what fails here is tried again then. Another
   * epoch that is here may still hold: only the run's order, which follows the fence, ends it.
   * However this comes out, it is answered, unless a newer order has ended it.
   */
  private void makeAhead(ToAgent.Run run) {
    Deployment present = deployment;
    try {
      if (present != null && present.onHost && !present.ahead) {
        reporter.prepared(beside(present, run));
        return;
      }
      if (!host.epochs().admit(run.teamUid(), run.epoch())) {
        notMade(run, RunFailure.EPOCH_REFUSED, "this VM has seen a higher epoch of the team");
        return;
      }
      Making making = present == null ? null : present.making;
      if (present != null && present.isAheadOf(run) && making != null && !making.hasFailed()) {
        making.whenDone(failure -> made(run, failure));
        return;
      }
      if (present != null && present.onHost && !remove(present, Duration.ZERO)) {
        reporter.prepared(
            Prepared.notYet(run, "what was made of the team before is still being removed"));
        return;
      }
      Deployment made = new Deployment(run);
      made.ahead = true;
      made.nextLook = System.nanoTime() + timings.unused().toNanos();
      deployment = made;
      begin(made).whenDone(failure -> made(run, failure));
    } catch (RunException e) {
      deployment = null;
      notMade(run, e.code(), e.text());
    } catch (IOException e) {
      dropAhead();
      notMade(run, RunFailure.INTERNAL, "the run cannot be kept: " + e);
    } catch (RuntimeException | Error e) {
      // Whoever asked waits for an answer, and what runs meanwhile has nothing to do with it.
      LOG.log(Level.SEVERE, new Deployment(run) + ": making it ahead failed", e);
      dropAhead();
      notMade(run, RunFailure.INTERNAL, "the agent failed: " + e);
    }
  }

  /** What was half made ahead goes. */
  private void dropAhead() {
    Deployment half = deployment;
    if (half == null || !half.ahead) {
      return;
    }
    if (half.onHost) {
      half.doomed = true;
      half.nextLook = System.nanoTime();
    } else {
      deployment = null;
    }
  }

  /** What is to be said of a run that is wanted ahead while this one is here. */
  private static Prepared beside(Deployment present, ToAgent.Run run) {
    long here = present.run.epoch();
    if (here > run.epoch()) {
      return Prepared.not(
          run, RunFailure.EPOCH_REFUSED, "this VM has seen a higher epoch of the team");
    }
    return here == run.epoch() && !present.doomed
        ? Prepared.of(run)
        : Prepared.notYet(run, "an earlier run of the team is still here");
  }

  private void made(ToAgent.Run run, @Nullable Throwable failure) {
    switch (failure) {
      case null -> reporter.prepared(Prepared.of(run));
      case RunException e -> notMade(run, e.code(), e.text());
      default -> notMade(run, RunFailure.INTERNAL, "the agent failed: " + failure);
    }
  }

  private void notMade(ToAgent.Run run, RunFailure code, String text) {
    LOG.info(new Deployment(run) + ": not made ahead: " + text);
    reporter.prepared(Prepared.not(run, code, Texts.message(text)));
  }

  /** Notes the run as being on the VM, and has all that needs no mount made. */
  private Making begin(Deployment made) throws RunException, IOException {
    RunChecks.check(made.run, made.ahead);
    host.capacity().reserve(made.run);
    made.onHost = true;
    host.files().save(made.run);
    made.workspace = made.usesWorkspace() ? host.mounts().prepare(made.place) : null;
    Making making = Making.begin(host, made, executor);
    made.making = making;
    return making;
  }

  /** The same order again: the present state is the answer. */
  private void renew(Deployment present, ToAgent.Run again) {
    if (present.onHost && !again.sources().equals(present.sources)) {
      present.sources = again.sources();
      try {
        Making.openFirewall(host, present);
      } catch (RunException e) {
        LOG.warning(present + ": " + e.text());
      }
    }
    reporter.report(present.report());
  }

  private void stop(ToAgent.Stop stop) {
    try {
      // From now on an order of a lower epoch comes too late.
      host.epochs().admit(stop.teamUid(), stop.epoch());
    } catch (IOException e) {
      LOG.warning("team " + teamUid + ": the epoch cannot be written: " + e);
    }
    Deployment present = deployment;
    if (present != null && present.run.epoch() <= stop.epoch()) {
      present.stop = stop;
      present.after = null;
      if (present.onHost && !remove(present, Duration.ofMillis(stop.graceMillis()))) {
        return;
      }
      deployment = null;
    }
    LOG.info(stop.namespace() + "/" + stop.name() + " epoch " + stop.epoch() + ": gone");
    reporter.gone(new TeamGone(stop.teamUid(), stop.namespace(), stop.name(), stop.epoch()));
  }

  // ---- up

  /** Takes the run up, with what was made of it ahead. */
  private void bringUp(Deployment made, ToAgent.Run run, CompletableFuture<Void> cancelled) {
    Making ahead = made.making;
    deployment = made;
    made.ordered(run);
    made.nextLook = System.nanoTime();
    try {
      if (ahead == null) {
        begin(made);
      } else {
        RunChecks.check(run, false);
        host.files().save(run);
      }
      tell(made, State.PREPARING, null, null);
      makeAndAttach(made, ahead != null, cancelled);
      if (cancelled.isDone()) {
        // Another order waits, and it begins with taking this away.
        made.doomed = true;
        return;
      }
      tell(made, State.ATTACHED, null, null);
      startContainers(made);
    } catch (RunException e) {
      if (cancelled.isDone()) {
        made.doomed = true;
      } else {
        giveUp(made, e.code(), e.text());
      }
    } catch (IOException e) {
      giveUp(made, RunFailure.INTERNAL, "the run cannot be kept: " + e);
    }
  }

  /** Mounts the workspace while the containers are made: none of them runs before it is there. */
  private void makeAndAttach(Deployment made, boolean ahead, CompletableFuture<Void> cancelled)
      throws RunException, IOException {
    ToAgent.Mount mount = made.run.mount();
    CompletableFuture<Void> noNeed = new CompletableFuture<>();
    CompletableFuture<Void> enough =
        CompletableFuture.anyOf(cancelled, noNeed).thenAccept(any -> {});
    Making making = made.making;
    CompletableFuture<Attach> attaching =
        mount == null || making == null
            ? CompletableFuture.completedFuture(new Attach.Attached())
            : making
                .ordered()
                .thenApplyAsync(ready -> attachForLong(made, mount, enough), executor);
    try {
      await(made, cancelled);
      if (ahead) {
        // Where the file server is may not have been known when this was made; and who makes it
        // opens the firewall too, so not before that is done.
        Making.openFirewall(host, made);
      }
      tell(made, State.ATTACHING, null, null);
    } catch (RunException e) {
      // What failed ahead may have met what is gone by now, and knew less.
      boolean again = ahead || (mount != null && e.code() == RunFailure.CONTAINER_REFUSED);
      if (!again) {
        noNeed.complete(null);
      }
      Attach attached = attaching.join();
      if (attached instanceof Attach.Refused(String why)) {
        // A run that is over has no other faults.
        throw new RunException(RunFailure.EPOCH_REFUSED, why);
      }
      if (!again || cancelled.isDone()) {
        throw e;
      }
      // sshfs mounts before it has connected: podman may have met a mount that came to nothing.
      expectAttached(attached);
      LOG.info(made + ": made again: " + e.text());
      begin(made);
      await(made, cancelled);
    }
    Attach attached = attaching.join();
    if (!cancelled.isDone()) {
      expectAttached(attached);
      made.times.attached();
      if (making != null && making.isSetUp() && !host.pods().see(made.pod, made.workspace)) {
        LOG.warning(made + ": made again: its containers do not see the workspace");
        begin(made);
        await(made, cancelled);
      }
    }
  }

  private static void await(Deployment made, CompletableFuture<Void> cancelled)
      throws RunException {
    Making making = made.making;
    if (making != null) {
      var _ = cancelled.thenRun(making::abandon);
      making.await();
    }
  }

  /** Tries until it is attached, refused, cancelled, or too long has passed. */
  private Attach attachForLong(
      Deployment made, ToAgent.Mount mount, CompletableFuture<Void> cancelled) {
    long until = System.nanoTime() + timings.attachFor().toNanos();
    Duration pause = Duration.ofMillis(100);
    while (true) {
      Attach attach = host.mounts().attach(made.place, mount, cancelled);
      if (attach instanceof Attach.Attached) {
        return noted(made, attach);
      }
      if (!(attach instanceof Attach.Unreachable(String why))
          || cancelled.isDone()
          || System.nanoTime() - until > 0) {
        return attach;
      }
      tell(made, State.ATTACHING, null, Texts.message(why));
      pause(cancelled, pause);
      pause = pause.multipliedBy(2).compareTo(timings.look()) < 0 ? pause.multipliedBy(2) : pause;
    }
  }

  /** Mounted once, an epoch is never mounted again: nothing of it writes before that is on disk. */
  private Attach noted(Deployment made, Attach attached) {
    try {
      host.epochs().mounted(teamUid, made.run.epoch());
      return attached;
    } catch (IOException e) {
      return new Attach.Unfit("that the workspace is mounted cannot be noted: " + e);
    }
  }

  private static void expectAttached(Attach attach) throws RunException {
    switch (attach) {
      case Attach.Attached ok -> {}
      case Attach.Refused(String why) -> throw new RunException(RunFailure.EPOCH_REFUSED, why);
      case Attach.Unreachable(String why) -> throw new RunException(RunFailure.MOUNT_FAILED, why);
      case Attach.Distrusted(String why) -> throw new RunException(RunFailure.MOUNT_FAILED, why);
      case Attach.Unfit(String why) -> throw new RunException(RunFailure.HOST_UNFIT, why);
    }
  }

  private void startContainers(Deployment made) throws RunException {
    tell(made, State.STARTING, null, null);
    long now = System.nanoTime();
    List<String> names = made.containerNames();
    names.forEach(name -> made.restarts.started(name, now));
    host.pods().start(made.pod, names);
    made.allRunning();
    made.times.started();
    made.startedAt = now;
    made.healthyBefore = false;
    made.nextFullLook = now + timings.look().toNanos();
    made.nextLook = now;
    wake();
  }

  // ---- in between

  private void look(boolean exitSeen, CompletableFuture<Void> cancelled) {
    Deployment present = deployment;
    if (present == null || !present.onHost) {
      return;
    }
    long now = System.nanoTime();
    if (present.ahead && !present.doomed) {
      if (now - present.nextLook < 0) {
        return;
      }
      LOG.info(present + ": was made ahead, and no run followed");
      present.doomed = true;
    }
    present.nextLook = now + timings.look().toNanos();
    if (present.doomed) {
      removeAgain(present);
      return;
    }
    if (!mountIsWell(present, now, cancelled)) {
      return;
    }
    if (exitSeen || now - present.nextFullLook >= 0 || present.restartDue(now)) {
      present.nextFullLook = now + timings.fullLook().toNanos();
      lookAtContainers(present, now);
    }
    if (present.allRun() && !present.healthy()) {
      lookAtPorts(present, now);
    }
  }

  private void removeAgain(Deployment present) {
    if (!remove(present, Duration.ZERO)) {
      present.nextLook = System.nanoTime() + timings.remove().toNanos();
      return;
    }
    ToAgent.Run after = present.after;
    if (goneIfAsked(present)) {
      deployment = null;
    } else if (present.code == null && after == null) {
      deployment = null;
      ToAgent.Run run = present.run;
      reporter.gone(new TeamGone(teamUid, run.namespace(), run.name(), run.epoch()));
    }
    if (after != null) {
      order(after);
    }
  }

  /** The order to stop that waited until nothing is left is answered. */
  private boolean goneIfAsked(Deployment present) {
    ToAgent.Stop stop = present.stop;
    if (stop != null) {
      reporter.gone(new TeamGone(teamUid, stop.namespace(), stop.name(), stop.epoch()));
    }
    return stop != null;
  }

  /** Whether the workspace is there; ends the run, in the end, when it is not. */
  private boolean mountIsWell(Deployment present, long now, CompletableFuture<Void> cancelled) {
    ToAgent.Mount mount = present.run.mount();
    boolean notYet = present.state.compareTo(State.ATTACHED) < 0 && !present.mountDead;
    if (mount == null || notYet) {
      return true;
    }
    if (!present.mountDead) {
      if (now - present.nextMountLook < 0) {
        return true;
      }
      present.nextMountLook = now + timings.look().toNanos();
      Health health = host.mounts().health(present.place);
      present.full = health == Health.FULL;
      switch (health) {
        case ALIVE, FULL -> {
          present.hung = false;
          fullChanged(present);
          return true;
        }
        case SLOW -> {
          return true;
        }
        case HUNG -> {
          if (mayComeBack(present, mount, now, cancelled)) {
            return true;
          }
        }
        case DEAD -> {
          if (!present.hung) {
            present.mountIllSince = now;
          }
        }
      }
      present.mountDead = true;
      LOG.warning(present + ": its workspace is " + health);
    }
    giveUpOrWait(present, mount, cancelled);
    return false;
  }

  /**
   * Whether a mount that does not answer is only slow. On a way that loses packets TCP waits twice
   * as long after each loss of the same segment, for 12.8 s after the sixth, and then goes on where
   * it was. So a file server that takes a new login meanwhile gets the bound's time. One that takes
   * none is away: what comes back with it is a new connection sooner than the old one.
   */
  private boolean mayComeBack(
      Deployment present, ToAgent.Mount mount, long now, CompletableFuture<Void> cancelled) {
    if (!present.hung) {
      present.hung = true;
      present.mountIllSince = now;
      LOG.info(present + ": its workspace does not answer");
    }
    return now - present.mountIllSince < timings.mountDead().toNanos()
        && takesLogin(present, mount, cancelled);
  }

  /** Asked twice at most: on such a way a login fails now and then, too. */
  private boolean takesLogin(
      Deployment present, ToAgent.Mount mount, CompletableFuture<Void> cancelled) {
    Attach answer = host.mounts().login(present.place, mount, cancelled);
    if (answer instanceof Attach.Unreachable) {
      answer = host.mounts().login(present.place, mount, cancelled);
    }
    return answer instanceof Attach.Attached;
  }

  private void fullChanged(Deployment present) {
    if (present.healthy()) {
      if (present.full && present.code == null) {
        tell(present, State.HEALTHY, RunFailure.WORKSPACE_FULL, "the workspace is full");
      } else if (!present.full && present.code == RunFailure.WORKSPACE_FULL) {
        tell(present, State.HEALTHY, null, null);
      }
    }
  }

  /**
   * A dead mount never comes back. The file server is asked whether the epoch still holds. When it
   * answers the run is over either way: what the dead connection had under way is still in this
   * kernel's hands, which sends it again and again, and would land in the midst of what a new mount
   * of the same epoch writes. The hub gives the team another epoch here, whose fence ends that. If
   * there is no answer, nobody is stopped before the bound.
   */
  private void giveUpOrWait(
      Deployment present, ToAgent.Mount mount, CompletableFuture<Void> cancelled) {
    tell(present, State.ATTACHING, RunFailure.MOUNT_FAILED, "the workspace's mount is dead");
    switch (host.mounts().login(present.place, mount, cancelled)) {
      case Attach.Attached ok ->
          giveUp(present, RunFailure.MOUNT_LOST, "the workspace's mount died");
      case Attach.Refused(String why) -> giveUp(present, RunFailure.EPOCH_REFUSED, why);
      case Attach.Unreachable(String why) -> endAfterBound(present, why);
      case Attach.Distrusted(String why) -> endAfterBound(present, why);
      case Attach.Unfit(String why) -> giveUp(present, RunFailure.HOST_UNFIT, why);
    }
  }

  private void endAfterBound(Deployment present, String why) {
    if (System.nanoTime() - present.mountIllSince > timings.mountDead().toNanos()) {
      giveUp(present, RunFailure.MOUNT_FAILED, why);
    }
  }

  private void lookAtContainers(Deployment present, long now) {
    List<Pods.Status> statuses = host.pods().statuses(present.pod, present.containerNames());
    List<String> due = new ArrayList<>();
    long next = Long.MAX_VALUE;
    String dead = null;
    for (Pods.Status status : statuses) {
      String name = status.container();
      boolean isNews = present.update(status);
      if (status.running()) {
        present.restarts.running(name, now);
        continue;
      }
      if (isNews) {
        String lines =
            Texts.lastLines(host.pods().lastLines(present.pod, name), present.env(name).values());
        present.ended(name, status.exitCode(), lines);
      }
      long dueAt = present.restarts.due(name, now);
      present.restarted(name, present.restarts.count(name));
      if (present.restarts.hopeless(name)) {
        dead = name;
      }
      if (dueAt - now <= 0) {
        due.add(name);
      } else {
        next = Math.min(next, dueAt - now);
      }
    }
    present.nextRestart = next == Long.MAX_VALUE ? Long.MAX_VALUE : now + next;
    tellOfContainers(present, dead);
    if (!due.isEmpty()) {
      restart(present, due, now);
    }
    if (next != Long.MAX_VALUE) {
      present.nextLook = Math.min(present.nextLook, now + next);
    }
  }

  private void tellOfContainers(Deployment present, @Nullable String dead) {
    if (present.allRun()) {
      return;
    }
    Optional<String> down = present.firstDown();
    String name = dead == null ? down.orElse("") : dead;
    tell(
        present,
        dead == null ? State.STARTING : State.FAILED,
        RunFailure.CONTAINER_EXITED,
        "container " + name + " ended" + (dead == null ? " and is started again" : " repeatedly"));
  }

  private void restart(Deployment present, List<String> names, long now) {
    names.forEach(name -> present.restarts.started(name, now));
    present.nextRestart = Long.MAX_VALUE;
    try {
      host.pods().start(present.pod, names);
      names.forEach(present::runs);
      present.startedAt = now;
      present.nextFullLook = now + timings.look().toNanos();
      LOG.info(present + ": started again: " + names);
    } catch (RunException e) {
      // It counts as one more end.
      LOG.warning(present + ": " + e.text());
      present.nextFullLook = now;
    }
    present.nextLook = now;
  }

  private void lookAtPorts(Deployment present, long now) {
    for (ToAgent.PublishedPort port : present.run.ports()) {
      if (!answers(present, port)) {
        boolean quickly = now - present.startedAt < timings.look().toNanos();
        Duration pause = quickly ? timings.portRetry() : timings.portRetry().multipliedBy(10);
        present.nextLook = System.nanoTime() + pause.toNanos();
        if (!quickly && present.code == null) {
          tell(
              present,
              State.STARTING,
              null,
              "nothing listens on port " + port.name() + " of container " + port.container());
        }
        return;
      }
    }
    if (present.anyHopeless() && now - present.startedAt < timings.trust().toNanos()) {
      // It has ended so often just after it answered that an answer proves little.
      present.nextLook = present.startedAt + timings.trust().toNanos();
      return;
    }
    present.times.answered();
    if (!present.healthyBefore) {
      LOG.info(present + ": healthy; " + present.times);
    }
    present.healthyBefore = true;
    tell(present, State.HEALTHY, null, null);
  }

  private boolean answers(Deployment present, ToAgent.PublishedPort port) {
    try {
      return host.ports()
          .answers(host.networks().take(present.pod).address(), port.containerPort());
    } catch (RunException e) {
      return false;
    }
  }

  // ---- down

  private void giveUp(Deployment present, RunFailure code, String message) {
    String text = Texts.message(message);
    LOG.warning(present + ": " + code + ": " + text);
    present.set(State.FAILED, code, text);
    present.doomed = true;
    TeamReport report = present.report();
    boolean removed = remove(present, Duration.ZERO);
    present.set(State.FAILED, code, text);
    reporter.report(report);
    if (!removed) {
      present.nextLook = System.nanoTime() + timings.remove().toNanos();
    }
  }

  private void fail(Deployment failed, RunFailure code, String message) {
    LOG.warning(failed + ": " + code + ": " + message);
    failed.set(State.FAILED, code, Texts.message(message));
    reporter.report(failed.report());
  }

  /**
   * Takes everything of a run away: containers first, as they hold the mount; then the mount; then
   * the way in. Can be called again until it succeeds.
   *
   * @return whether nothing is left
   */
  private boolean remove(Deployment present, Duration grace) {
    present.doomed = true;
    if (present.code == null && !present.ahead && present.state != State.STOPPED) {
      tell(present, State.STOPPING, null, null);
    }
    Making making = present.making;
    if (making != null) {
      making.end();
      present.making = null;
    }
    boolean hasMount = present.usesWorkspace();
    if (!grace.isZero()
        && !present.ahead
        && host.pods().stop(present.pod, present.containerNames(), grace)
        && (!hasMount || host.mounts().settle(present.place))) {
      // All that it wrote is saved: nobody has to wait for what is left here.
      tell(present, State.STOPPED, null, null);
    }
    boolean removed = host.pods().remove(present.pod);
    if (!removed && hasMount && !alive(host.mounts().health(present.place))) {
      // A process that waits for a silent file server cannot even be killed.
      host.mounts().abort(present.place);
      removed = host.pods().remove(present.pod);
    }
    boolean detached = removed && (!hasMount || host.mounts().detach(present.place));
    if (!detached) {
      present.nextLook = System.nanoTime() + timings.remove().toNanos();
      return false;
    }
    host.firewall().close(teamUid);
    host.networks().release(present.pod);
    host.firewall().tidy();
    host.capacity().release(teamUid);
    host.files().delete(teamUid, present.run.epoch());
    present.onHost = false;
    return true;
  }

  private static boolean alive(Health health) {
    return health == Health.ALIVE || health == Health.FULL;
  }

  private void tell(
      Deployment present, State state, @Nullable RunFailure code, @Nullable String message) {
    if (present.set(state, code, message)) {
      reporter.report(present.report());
    }
  }

  private static void pause(CompletableFuture<Void> cancelled, Duration atMost) {
    try {
      cancelled.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      // The pause is over.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
