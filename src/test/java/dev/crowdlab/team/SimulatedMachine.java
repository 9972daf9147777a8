package dev.crowdlab.team;

import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.FakeAgents;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.storage.FakeWorkspaces;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A machine that runs what it is told, a message at a time, whenever the simulation lets it. Cut
 * off from the network it goes on with what it has.
 */
final class SimulatedMachine {

  final VmRef vm;
  private final FakeAgents agents;
  private final FakeWorkspaces workspaces;
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

  SimulatedMachine(VmRef vm, FakeAgents agents, FakeWorkspaces workspaces) {
    this.vm = vm;
    this.agents = agents;
    this.workspaces = workspaces;
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
        vm, running.values().stream().map(r -> report(r.run(), r.state(), null)).toList());
  }

  /** The network is cut in silence; the hub has found out. */
  void cutOff() {
    connected = false;
    agents.lose(vm);
  }

  /** The agent dies; the containers stay. */
  void agentDies() {
    connected = false;
    agents.agentDies(vm);
  }

  /** The power is cut: nothing runs any more. */
  void powerCut() {
    running.clear();
    cutOff();
  }

  /** Reads one message, or takes one run a step further. */
  void step() {
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
        case PREPARING, STARTING, FAILED, STOPPING, STOPPED -> {}
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
        put(run, State.ATTACHING);
      }
      case ToAgent.Stop stop -> {
        Running present = running.get(stop.teamUid());
        if (present != null && present.run().epoch() <= stop.epoch()) {
          running.remove(stop.teamUid());
        }
        agents.gone(vm, new TeamRef(stop.namespace(), stop.name(), stop.teamUid()), stop.epoch());
      }
      case ToAgent.Welcome _,
          ToAgent.Cadence _,
          ToAgent.Prepare _,
          ToAgent.Challenge _,
          ToAgent.NewToken _,
          ToAgent.Uninstall _ -> {}
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
