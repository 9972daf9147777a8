package dev.crowdlab.team;

import static dev.crowdlab.team.Samples.vm;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.EventRecorder;
import dev.crowdlab.core.ManualClock;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.FakeAgents;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import dev.crowdlab.route.FakeRoutes;
import dev.crowdlab.route.Routes.Target;
import dev.crowdlab.storage.FakeWorkspaces;
import dev.crowdlab.storage.WorkspaceId;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;

/** A reconciler of teams on fakes; time passes only when a test says so. */
final class TeamBed {

  static final TeamSettings SETTINGS =
      new TeamSettings(
          "testab",
          "files",
          20_000,
          29_999,
          List.of("10.77.0.0/16"),
          Duration.ofDays(7),
          TeamSettings.Bounds.DEFAULT.withIngress(Duration.ZERO));

  final FakeTeams teams = new FakeTeams();
  final FakeVms vms = new FakeVms();
  final FakeWorkspaces workspaces = new FakeWorkspaces();
  final FakeRoutes routes = new FakeRoutes();
  final ManualClock clock;
  final FakeAgents agents;
  final List<String> events = new ArrayList<>();
  final List<String> steps = new ArrayList<>();
  Outcome<Optional<RegistryAuth>> pullSecret = Outcome.done(Optional.empty());
  StepListener crash = StepListener.NONE;
  private TeamSettings settings = SETTINGS;
  QuotaWatch quotas = new QuotaWatch(teams, workspaces, SETTINGS);
  StaleRuns staleRuns;
  TeamLoop loop;

  TeamBed() {
    this(new ManualClock(Samples.T0));
  }

  private TeamBed(ManualClock clock) {
    this(clock, new FakeAgents(clock).obedient(true));
  }

  /** A bed that shares its time and its agents with another. */
  TeamBed(ManualClock clock, FakeAgents agents) {
    this.clock = clock;
    this.agents = agents;
    staleRuns = new StaleRuns(agents, teams);
    loop = start();
  }

  /** An operator with other {@code route.sources}. */
  void sources(List<String> sources) {
    restartOperatorWith(sources, SETTINGS.bounds());
  }

  /** An operator with other bounds. */
  void bounds(TeamSettings.Bounds bounds) {
    restartOperatorWith(SETTINGS.sources(), bounds);
  }

  private void restartOperatorWith(List<String> sources, TeamSettings.Bounds bounds) {
    settings =
        new TeamSettings(
            SETTINGS.installation(),
            SETTINGS.fileServer(),
            SETTINGS.firstPort(),
            SETTINGS.lastPort(),
            sources,
            SETTINGS.retention(),
            bounds);
    restartOperator();
  }

  /** Another operator on the same world: what the last one remembered is lost. */
  void restartOperator() {
    staleRuns = new StaleRuns(agents, teams);
    quotas = new QuotaWatch(teams, workspaces, SETTINGS);
    loop = start();
    vms.in("lab").forEach(view -> staleRuns.examine(view.ref()));
  }

  private TeamLoop start() {
    EventRecorder recorder = this::event;
    StepListener listener =
        (step, team) -> {
          steps.add(step);
          crash.reached(step, team);
        };
    InstantSource instants = clock;
    return TeamModule.loop(
        settings,
        teams,
        vms,
        team -> pullSecret,
        agents,
        workspaces,
        routes,
        recorder,
        listener,
        staleRuns,
        new RoomNews(),
        quotas,
        instants,
        new Random(1));
  }

  private void event(HasMetadata about, EventRecorder.Type type, Reason reason, String note) {
    events.add(type + " " + reason + ": " + note);
  }

  /** A Ready machine whose agent is connected. */
  VmRef machine(String name, String contributor, int places) {
    ContributedVM vm = vm(name, contributor, places);
    vms.put(vm);
    VmRef ref = VmView.ref(vm);
    agents.watch(ref, new InetSocketAddress("10.77.1.2", 22), true, _ -> false);
    agents.connect(ref);
    staleRuns.examine(ref);
    return ref;
  }

  /** The machine's object is replaced by this one. */
  void change(ContributedVM vm) {
    vms.put(vm);
  }

  TeamRef create(String name) {
    teams.create(Samples.team(name));
    return ref(name);
  }

  static TeamRef ref(String name) {
    return new TeamRef("lab", name, "uid-" + name);
  }

  /** One reconciliation of what the cache has. */
  TeamLoop.Turn reconcile(String name) {
    LabTeam cached = teams.fromCache(name).orElseThrow();
    TeamLoop.Turn turn = loop.run(cached);
    if (turn instanceof TeamLoop.Turn.Over && cached.getMetadata().getDeletionTimestamp() != null) {
      teams.vanish(name);
    }
    return turn;
  }

  /** Reconciles as often as events would make it. */
  TeamLoop.Turn settle(String name) {
    TeamLoop.Turn turn = new TeamLoop.Turn.Rest();
    for (int i = 0; i < 6 && teams.exists(name); i++) {
      turn = reconcile(name);
    }
    return turn;
  }

  LabTeamStatus status(String name) {
    return teams.get(name).getStatus();
  }

  String condition(String name, String type) {
    return status(name).conditions().stream()
        .filter(condition -> condition.getType().equals(type))
        .map(condition -> condition.getStatus() + ":" + condition.getReason())
        .findFirst()
        .orElse("-");
  }

  Optional<Condition> find(String name, String type) {
    return status(name).conditions().stream()
        .filter(condition -> condition.getType().equals(type))
        .findFirst();
  }

  /** Where the route leads; diversions run beside the pass that starts them. */
  void assertRouted(String name, Target target) {
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(10))
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(() -> assertThat(routes.target(ref(name))).contains(target));
  }

  Target.Exercise exercise(String name) {
    Binding binding = Objects.requireNonNull(status(name).binding());
    return new Target.Exercise(
        Objects.requireNonNull(binding.address()), Objects.requireNonNull(binding.port()));
  }

  WorkspaceId workspace(String name) {
    return SETTINGS.workspace(teams.get(name));
  }
}
