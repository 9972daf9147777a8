package dev.crowdlab.team;

import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.FakeAgents;
import dev.crowdlab.protocol.FromAgent.Prepared;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.storage.FakeWorkspaces;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A machine that runs what it is told, a message at a time, whenever the simulation lets it. Cut
 * off from the network it goes on with what it has. What it is to make ahead it makes, or cannot,
 * or never says so; a run that is to stop it may say to be saved before it has taken it away.
 */
final class SimulatedMachine {

  /** As long as the agent keeps what was made ahead for a run that does not come. */
  private static final Duration UNUSED = Duration.ofMinutes(5);

  final VmRef vm;
  private final FakeAgents agents;
  private final FakeWorkspaces workspaces;
  private final InstantSource clock;
  private final Random random;
  private final Map<String, MadeAhead> ahead = new TreeMap<>();
  private final Map<String, ToAgent.Stop> stops = new TreeMap<>();
  private final Map<String, Running> running = new TreeMap<>();
  private final Map<String, Long> highest = new TreeMap<>();
  private int read;
  private boolean connected;

  /** What the machine runs of a team, and how far it is. */
  record Running(ToAgent.Run run, State state) {

    String login() {
      return run.mount() == null ? "" : run.mount().login();
    }
  }

  /** What it has made of a run that was not ordered yet, and since when. */
  record MadeAhead(ToAgent.Run run, Instant since) {}

  SimulatedMachine(
      VmRef vm, FakeAgents agents, FakeWorkspaces workspaces, InstantSource clock, Random random) {
    this.vm = vm;
    this.agents = agents;
    this.workspaces = workspaces;
    this.clock = clock;
    this.random = random;
  }

  /** What it has made ahead, by its team's UID. */
  Map<String, MadeAhead> ahead() {
    return ahead;
  }

  boolean isConnected() {
    return connected;
  }

  Map<String, Running> running() {
    return running;
  }

  /** Whether it can write to this team's workspace now. */
  boolean writes(String teamUid) {
    Running run = running.get(teamUid);
    return run != null
        && (run.state() == State.ATTACHED || run.state() == State.HEALTHY)
        && workspaces.mayWrite(run.login());
  }

  void connect() {
    connected = true;
    // What the hub sent to earlier sessions is lost with them.
    read = agents.sent(vm).size();
    agents.connect(
        vm,
        Stream.concat(
                running.values().stream().map(r -> report(r.run(), r.state(), null)),
                ahead.values().stream().map(made -> report(made.run(), State.PREPARING, null)))
            .toList());
  }

  /** The network is cut in silence; the hub has found out. */
  void cutOff() {
    connected = false;
    agents.lose(vm);
  }

  /** The agent dies; the containers stay. */
  void agentDies() {
    connected = false;
    // The next one takes away what this one had made ahead, and what it had begun to take away.
    ahead.clear();
    stops.keySet().forEach(running::remove);
    stops.clear();
    agents.agentDies(vm);
  }

  /** The power is cut: nothing runs any more. */
  void powerCut() {
    running.clear();
    ahead.clear();
    stops.clear();
    cutOff();
  }

  /** Reads one message, or takes one run a step further. */
  void step() {
    dropUnused();
    if (!connected) {
      return;
    }
    List<ToAgent> sent = agents.sent(vm);
    if (read < sent.size()) {
      obey(sent.get(read++));
      return;
    }
    for (Running run : List.copyOf(running.values())) {
      switch (run.state()) {
        case ATTACHING -> {
          boolean refused = !workspaces.mayWrite(run.login());
          put(run.run(), refused ? State.FAILED : State.ATTACHED);
          return;
        }
        case ATTACHED -> {
          put(run.run(), State.HEALTHY);
          return;
        }
        case HEALTHY -> {
          // Its sshfs was fenced, and is refused when it dials again.
          if (!workspaces.mayWrite(run.login())) {
            put(run.run(), State.FAILED);
            return;
          }
        }
        case STOPPED -> {
          takeAway(run.run().teamUid());
          return;
        }
        case PREPARING, STARTING, FAILED, STOPPING -> {}
      }
    }
  }

  /** A container of some team ends by itself. */
  void crashOne() {
    running.values().stream()
        .filter(run -> run.state() == State.HEALTHY)
        .findFirst()
        .ifPresent(
            run -> {
              running.put(run.run().teamUid(), new Running(run.run(), State.FAILED));
              if (connected) {
                agents.report(vm, report(run.run(), State.FAILED, RunFailure.CONTAINER_EXITED));
              }
            });
  }

  private void obey(ToAgent message) {
    switch (message) {
      case ToAgent.Run run -> {
        Running present = running.get(run.teamUid());
        if (run.epoch() < highest.getOrDefault(run.teamUid(), 0L)
            || (present != null && present.run().epoch() == run.epoch())) {
          if (present != null) {
            put(present.run(), present.state());
          }
          return;
        }
        highest.put(run.teamUid(), run.epoch());
        ahead.remove(run.teamUid());
        takeAway(run.teamUid());
        put(run, State.ATTACHING);
      }
      case ToAgent.Stop stop -> stop(stop);
      case ToAgent.Prepare(_, _, _, ToAgent.Run run) when run != null -> makeAhead(run);
      case ToAgent.Welcome _,
          ToAgent.Cadence _,
          ToAgent.Prepare _,
          ToAgent.Challenge _,
          ToAgent.NewToken _,
          ToAgent.Uninstall _ -> {}
    }
  }

  private void stop(ToAgent.Stop stop) {
    highest.merge(stop.teamUid(), stop.epoch(), Math::max);
    MadeAhead made = ahead.get(stop.teamUid());
    if (made != null && made.run().epoch() <= stop.epoch()) {
      ahead.remove(stop.teamUid());
    }
    Running present = running.get(stop.teamUid());
    if (present == null || present.run().epoch() > stop.epoch()) {
      gone(stop);
      return;
    }
    stops.put(stop.teamUid(), stop);
    if (present.state() == State.HEALTHY && random.nextBoolean()) {
      put(present.run(), State.STOPPED);
    } else {
      takeAway(stop.teamUid());
    }
  }

  private void takeAway(String teamUid) {
    ToAgent.Stop stop = stops.remove(teamUid);
    if (stop != null) {
      running.remove(teamUid);
      gone(stop);
    }
  }

  private void gone(ToAgent.Stop stop) {
    agents.gone(vm, new TeamRef(stop.namespace(), stop.name(), stop.teamUid()), stop.epoch());
  }

  private void makeAhead(ToAgent.Run run) {
    Running present = running.get(run.teamUid());
    if (present != null) {
      agents.prepared(vm, beside(present, run));
      return;
    }
    if (run.epoch() < highest.getOrDefault(run.teamUid(), 0L)) {
      agents.prepared(vm, Prepared.not(run, RunFailure.EPOCH_REFUSED, "a higher one was seen"));
      return;
    }
    highest.put(run.teamUid(), run.epoch());
    int dice = random.nextInt(10);
    if (dice < 2) {
      ahead.remove(run.teamUid());
      agents.prepared(vm, Prepared.not(run, RunFailure.IMAGE_MISSING, "no such image"));
      return;
    }
    ahead.put(run.teamUid(), new MadeAhead(run, clock.instant()));
    if (dice < 8) {
      agents.prepared(vm, Prepared.of(run));
    }
  }

  private static Prepared beside(Running present, ToAgent.Run run) {
    long here = present.run().epoch();
    if (here > run.epoch()) {
      return Prepared.not(run, RunFailure.EPOCH_REFUSED, "a higher one runs");
    }
    return here == run.epoch() && present.state() != State.STOPPED
        ? Prepared.of(run)
        : Prepared.notYet(run, "an earlier one is still here");
  }

  private void dropUnused() {
    Instant old = clock.instant().minus(UNUSED);
    for (MadeAhead made : List.copyOf(ahead.values())) {
      ToAgent.Run run = made.run();
      if (made.since().isBefore(old)) {
        ahead.remove(run.teamUid());
        agents.gone(vm, new TeamRef(run.namespace(), run.name(), run.teamUid()), run.epoch());
      }
    }
  }

  private void put(ToAgent.Run run, State state) {
    running.put(run.teamUid(), new Running(run, state));
    agents.report(vm, report(run, state, state == State.FAILED ? RunFailure.EPOCH_REFUSED : null));
  }

  private static TeamReport report(ToAgent.Run run, State state, @Nullable RunFailure code) {
    RunFailure told = code == null && state == State.FAILED ? RunFailure.CONTAINER_EXITED : code;
    return new TeamReport(
        run.teamUid(),
        run.namespace(),
        run.name(),
        run.epoch(),
        state,
        told == null ? null : told.name(),
        null,
        List.of());
  }
}
