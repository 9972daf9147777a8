package dev.crowdlab.team;

import dev.crowdlab.core.EventRecorder;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.route.Routes;
import dev.crowdlab.storage.Workspaces;
import java.time.InstantSource;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * Puts the reconciler of LabTeams together.
 *
 * @param reconciler to register with JOSDK
 * @param events must be told of agents ({@link Agents#listen}) and ContributedVMs (an informer's
 *     handler)
 * @param staleRuns what of a machine is to be stopped first
 * @param sweep to be started when leadership is won; its owner closes it
 */
public record TeamModule(
    LabTeamReconciler reconciler, TeamEvents events, StaleRuns staleRuns, OrphanSweep sweep) {

  /**
   * The module on these ports.
   *
   * @param executor for what an event needs read from the API server; its owner closes it
   */
  public static TeamModule of(
      TeamSettings settings,
      Teams teams,
      Vms vms,
      PullSecrets secrets,
      Agents agents,
      Workspaces workspaces,
      Routes routes,
      EventRecorder recorder,
      StepListener steps,
      ScheduledExecutorService executor,
      InstantSource clock,
      RandomGenerator random) {
    StaleRuns staleRuns = new StaleRuns(agents, teams);
    RoomNews room = new RoomNews();
    QuotaWatch quotas = new QuotaWatch(teams, workspaces, settings);
    TeamLoop loop =
        loop(
            settings,
            teams,
            vms,
            secrets,
            agents,
            workspaces,
            routes,
            recorder,
            steps,
            staleRuns,
            room,
            quotas,
            clock,
            random);
    TeamEvents events =
        new TeamEvents(teams, staleRuns, loop::routeDrifted, loop::corrected, executor);
    room.listen(events::roomChanged);
    lookAgainAndAgain(quotas, events, executor);
    return new TeamModule(
        new LabTeamReconciler(loop, events),
        events,
        staleRuns,
        new OrphanSweep(workspaces, teams, loop, agents, settings));
  }

  /** On a thread of its own each time: nothing else waits for the file server. */
  private static void lookAgainAndAgain(
      QuotaWatch quotas, TeamEvents events, ScheduledExecutorService executor) {
    Thread.Builder threads = Thread.ofVirtual().name("quotas");
    Runnable look =
        () -> {
          try {
            quotas.look(events::changed);
          } finally {
            lookAgainAndAgain(quotas, events, executor);
          }
        };
    try {
      var _ =
          executor.schedule(
              () -> threads.start(look), QuotaWatch.PERIOD.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The operator stops.
      return;
    }
  }

  static TeamLoop loop(
      TeamSettings settings,
      Teams teams,
      Vms vms,
      PullSecrets secrets,
      Agents agents,
      Workspaces workspaces,
      Routes routes,
      EventRecorder events,
      StepListener steps,
      StaleRuns staleRuns,
      RoomNews room,
      QuotaWatch quotas,
      InstantSource clock,
      RandomGenerator random) {
    Retry retry = new Retry(random);
    Progress progress = new Progress(steps, clock);
    Observer observer = new Observer(vms, agents, quotas::isFull, clock);
    Recorder recorder =
        new Recorder(teams, observer, new StatusFactory(clock), new Announcer(events));
    Diversions diversions = new Diversions(routes, settings.bounds().route());
    Corrections corrections = new Corrections(secrets, clock);
    Places places =
        new Places(
            teams, vms, agents, staleRuns, new Reservations(settings.ports(), clock), settings);
    RunOrder orders = new RunOrder(settings.sources());
    Images images = new Images(agents, secrets);
    Ahead ahead = new Ahead(agents, secrets, orders, images, settings.bounds().ahead());
    return new TeamLoop(
        teams,
        vms,
        agents,
        observer,
        new Decision(settings.bounds()),
        places,
        new Moves(
            agents,
            places,
            images,
            ahead,
            diversions,
            recorder,
            events,
            room,
            steps,
            clock,
            settings.bounds().ingress()),
        ahead,
        new Fences(workspaces, vms, agents, quotas, settings, retry, progress, clock),
        new Runs(agents, secrets, orders, corrections, retry, progress, clock),
        new RouteStep(routes, !settings.sources().isEmpty(), diversions, retry, progress, clock),
        diversions,
        new Removal(agents, vms, routes, workspaces, places, events, steps, settings),
        corrections,
        recorder,
        steps,
        clock);
  }
}
