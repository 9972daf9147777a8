package dev.crowdlab.agent;

import dev.crowdlab.agent.Pods.Found;
import dev.crowdlab.agent.Pods.Pod;
import dev.crowdlab.protocol.FromAgent.Prepared;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** All teams of this VM: gives each order to its team's worker, and never blocks. */
final class Teams {

  private static final Logger LOG = Logger.getLogger(Teams.class.getName());

  /** Far above what a VM lends; a hub that goes mad must not fill the memory. */
  private static final int MOST_TEAMS = 256;

  private static final String TOO_MANY =
      "the agent looks after no more than " + MOST_TEAMS + " teams";

  private static final int LIST_ATTEMPTS = 3;
  private static final int LEAVING_GRACE_MILLIS = 2_000;
  private static final int LOOK_MILLIS = 100;

  private final Host host;
  private final Reporter reporter;
  private final Timings timings;
  private final Executor executor;
  private final ScheduledExecutorService timer;
  private final Map<String, TeamWorker> workers = new HashMap<>();
  private volatile boolean leaving;

  Teams(
      Host host,
      Reporter reporter,
      Timings timings,
      Executor executor,
      ScheduledExecutorService timer) {
    this.host = host;
    this.reporter = reporter;
    this.timings = timings;
    this.executor = executor;
    this.timer = timer;
  }

  /**
   * Finds what an earlier agent left: what runs stays as it is, what is incomplete goes.
   *
   * @throws IllegalStateException when it cannot be found out; to guess would end what runs
   */
  void adopt() {
    List<ToAgent.Run> runs;
    try {
      runs = host.files().load();
    } catch (IOException e) {
      LOG.warning("the runs of an earlier agent cannot be read: " + e.getMessage());
      return;
    }
    Map<Pod, Found> found =
        (runs.isEmpty() ? strays() : found())
            .stream().collect(Collectors.toMap(Found::pod, Function.identity()));
    Map<String, List<ToAgent.Run>> byTeam =
        runs.stream().collect(Collectors.groupingBy(ToAgent.Run::teamUid));
    for (List<ToAgent.Run> ofTeam : byTeam.values()) {
      adoptHighest(ofTeam, found);
    }
    Map<Pod, ToAgent.Run> known =
        runs.stream()
            .collect(Collectors.toMap(r -> new Pod(r.teamUid(), r.epoch()), Function.identity()));
    for (Pod pod : found.keySet()) {
      if (!known.containsKey(pod)) {
        LOG.info(pod.name() + " is left from before the machine started, removing it");
        host.pods().remove(pod);
      }
    }
    host.networks().removeOthers();
  }

  /** Where no run is known nothing can be ended by mistake, and podman may already be gone. */
  private List<Found> strays() {
    try {
      return host.pods().list();
    } catch (RunException e) {
      LOG.warning(e.text());
      return List.of();
    }
  }

  private List<Found> found() {
    for (int attempt = 1; ; attempt++) {
      try {
        return host.pods().list();
      } catch (RunException e) {
        if (attempt == LIST_ATTEMPTS) {
          throw new IllegalStateException(e.text(), e);
        }
        LOG.warning(e.text());
      }
    }
  }

  private void adoptHighest(List<ToAgent.Run> ofTeam, Map<Pod, Found> found) {
    List<ToAgent.Run> descending = new ArrayList<>(ofTeam);
    descending.sort((a, b) -> Long.compare(b.epoch(), a.epoch()));
    boolean adopted = false;
    for (ToAgent.Run run : descending) {
      Found pod = found.get(new Pod(run.teamUid(), run.epoch()));
      TeamWorker worker = worker(run.teamUid());
      if (pod != null && hasNetwork(pod) && pod.running() && !adopted) {
        worker.adopt(run);
        adopted = true;
      } else {
        worker.discard(run);
      }
    }
  }

  /** Whatever of a pod still runs in a network is in that one until it is removed. */
  private boolean hasNetwork(Found found) {
    try {
      host.networks().adopt(found.pod(), found.network());
      return true;
    } catch (RunException e) {
      LOG.warning(found.pod().name() + ": " + e.text());
      return false;
    }
  }

  /** Everything that is, or may be, on the VM: for Hello. */
  synchronized List<TeamReport> present() {
    return workers.values().stream().flatMap(worker -> worker.present().stream()).toList();
  }

  /**
   * Stops every team, and takes no run from now on.
   *
   * @return completes when nothing is left on the VM; never, when something cannot be removed
   */
  CompletableFuture<Void> leave() {
    leaving = true;
    for (TeamReport team : present()) {
      order(
          new ToAgent.Stop(
              team.teamUid(), team.namespace(), team.name(), team.epoch(), LEAVING_GRACE_MILLIS));
    }
    return gone();
  }

  /** Completes when nothing is left on the VM. */
  CompletableFuture<Void> gone() {
    CompletableFuture<Void> gone = new CompletableFuture<>();
    ScheduledFuture<?> looks =
        timer.scheduleWithFixedDelay(
            () -> {
              if (present().isEmpty()) {
                gone.complete(null);
              }
            },
            0,
            LOOK_MILLIS,
            TimeUnit.MILLISECONDS);
    var _ = gone.whenComplete((done, failure) -> looks.cancel(false));
    return gone;
  }

  void order(ToAgent.Run run) {
    if (leaving) {
      LOG.info(new Deployment(run) + ": not taken, the lab leaves this machine");
      return;
    }
    TeamWorker worker = workerOrNone(run.teamUid());
    if (worker == null) {
      reporter.report(
          new TeamReport(
              run.teamUid(),
              run.namespace(),
              run.name(),
              run.epoch(),
              TeamReport.State.FAILED,
              RunFailure.CAPACITY_EXCEEDED.name(),
              TOO_MANY,
              List.of()));
      return;
    }
    worker.order(run);
  }

  void order(ToAgent.Stop stop) {
    worker(stop.teamUid()).order(stop);
  }

  /** Does ahead what it asks for. A run's is answered; for images nobody waits. */
  void prepare(ToAgent.Prepare prepare) {
    ToAgent.Run run = prepare.run();
    if (run != null) {
      prepare(prepare, run);
      return;
    }
    if (leaving) {
      return;
    }
    executor.execute(
        () -> {
          for (String image : prepare.images()) {
            try {
              host.pods().pull(image, prepare.registryAuth(), new CompletableFuture<>());
            } catch (RunException e) {
              LOG.info("preparing: " + e.text());
            }
          }
        });
  }

  private void prepare(ToAgent.Prepare prepare, ToAgent.Run run) {
    if (leaving) {
      reporter.prepared(Prepared.not(run, RunFailure.HOST_UNFIT, "the lab leaves this machine"));
      return;
    }
    TeamWorker worker = workerOrNone(run.teamUid());
    if (worker == null) {
      reporter.prepared(Prepared.not(run, RunFailure.CAPACITY_EXCEEDED, TOO_MANY));
      return;
    }
    worker.order(prepare);
  }

  synchronized void containerEnded(String id) {
    workers.values().forEach(worker -> worker.containerEnded(id));
  }

  private synchronized TeamWorker worker(String teamUid) {
    return workers.computeIfAbsent(
        teamUid, uid -> new TeamWorker(uid, host, reporter, timings, executor, timer));
  }

  private synchronized @Nullable TeamWorker workerOrNone(String teamUid) {
    workers.values().removeIf(TeamWorker::idle);
    return workers.size() >= MOST_TEAMS && !workers.containsKey(teamUid) ? null : worker(teamUid);
  }
}
