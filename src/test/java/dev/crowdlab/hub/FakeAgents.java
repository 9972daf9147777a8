package dev.crowdlab.hub;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.VmHealth.AgentFault;
import dev.crowdlab.hub.VmHealth.Hold;
import dev.crowdlab.hub.VmHealth.VmFault;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.FromAgent.ContainerReport;
import dev.crowdlab.protocol.FromAgent.Notice;
import dev.crowdlab.protocol.FromAgent.Prepared;
import dev.crowdlab.protocol.FromAgent.TeamGone;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.FromAgent.TeamReport.State;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The agents in memory, with the same bookkeeping as the real hub: a test plays the machines.
 * Listeners are called at once on the test's thread.
 *
 * <p>A VM is {@code Unwatched} until watched, then {@code Awaited} until {@link #connect}ed. By
 * default nothing is reported by itself; {@link #obedient} machines report each run healthy and
 * each stop gone right after the call that ordered it (so the call after it is Done).
 */
public final class FakeAgents implements Agents {

  private final Clock clock;
  private final List<AgentListener> listeners = new ArrayList<>();
  private final Map<VmRef, Machine> machines = new HashMap<>();
  private boolean obedient;

  private static final class Machine {
    final Ledger ledger = new Ledger();
    final Departure departure = new Departure();
    final List<ToAgent> sent = new ArrayList<>();
    @Nullable InetSocketAddress ssh;
    @Nullable LoginCheck login;
    boolean carriesTeams;
    boolean forgotten;
    @Nullable Session session;
    Notice.@Nullable Kind voice;
    FromAgent.@Nullable DiskState disk;
    VmHealth health = new VmHealth.Unwatched();
  }

  private Optional<Outcome.Failure> refusal = Optional.empty();
  private final Set<String> orderedTeams = new HashSet<>();

  public FakeAgents(Clock clock) {
    this.clock = clock;
  }

  // ---- the machines' side

  /** From now on machines do as they are told, at once. */
  public FakeAgents obedient(boolean value) {
    obedient = value;
    return this;
  }

  /** The VM's agent connects with nothing running; a watched VM is Alive. */
  public void connect(VmRef vm) {
    connect(vm, List.of());
  }

  /** The VM's agent connects and says what still runs or is mounted. */
  public void connect(VmRef vm, List<TeamReport> running) {
    Instant now = clock.instant();
    connect(
        new Session(
            vm,
            "sha256:test",
            "boot-" + vm.name(),
            "machine-" + vm.name(),
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA" + vm.name().replaceAll("[^A-Za-z0-9]", "x"),
            now,
            now),
        running);
  }

  /** As {@link #connect(VmRef, List)}, with all facts chosen by the test. */
  public void connect(Session session, List<TeamReport> running) {
    Machine machine = machine(session.vm());
    machine.session = session;
    machine.voice = null;
    machine.disk = null;
    List<ToAgent> messages = machine.ledger.up(new Reports(running), Protocol.VERSION);
    machine.sent.addAll(messages);
    listeners.forEach(listener -> listener.sessionChanged(session.vm()));
    if (machine.ssh != null) {
      health(session.vm(), new VmHealth.Alive(session.lastSeen(), true));
    }
    if (obedient) {
      messages.forEach(message -> obey(session.vm(), message));
    }
  }

  /** The socket closes; the health stays until the test says what the probe found. */
  public void disconnect(VmRef vm) {
    Machine machine = machine(vm);
    if (machine.session != null) {
      machine.session = null;
      machine.ledger.down();
      listeners.forEach(listener -> listener.sessionChanged(vm));
    }
  }

  /** The agent dies and sshd answers. */
  public void agentDies(VmRef vm) {
    Instant lastSeen = lastSeen(vm);
    disconnect(vm);
    health(vm, new VmHealth.AgentDown(lastSeen, clock.instant(), AgentFault.CRASHED));
  }

  /** The agent hangs and sshd answers; the hub has ended its session. */
  public void agentHangs(VmRef vm) {
    Instant lastSeen = lastSeen(vm);
    disconnect(vm);
    health(vm, new VmHealth.AgentDown(lastSeen, clock.instant(), AgentFault.HUNG));
  }

  /** sshd stops to answer; the agent is well. */
  public void sshdDies(VmRef vm) {
    health(vm, new VmHealth.Alive(lastSeen(vm), false));
  }

  /** The VM dies in silence and the detector has said so. */
  public void lose(VmRef vm) {
    lose(vm, VmFault.SILENT);
  }

  /** The VM is lost in this way and the detector has said so. */
  public void lose(VmRef vm, VmFault fault) {
    Instant lastSeen = lastSeen(vm);
    disconnect(vm);
    machine(vm).ledger.lost();
    health(vm, new VmHealth.Lost(lastSeen, clock.instant(), fault));
  }

  /** Heartbeats are late; the session is still there. */
  public void suspect(VmRef vm) {
    suspect(vm, Hold.NONE);
  }

  /** As {@link #suspect(VmRef)}, while the hub doubts itself. */
  public void suspect(VmRef vm, Hold hold) {
    health(vm, new VmHealth.Suspect(lastSeen(vm), clock.instant(), hold));
  }

  /** A second machine answers with the VM's identity. */
  public void conflict(VmRef vm) {
    Machine machine = machine(vm);
    machine.session = null;
    machine.ledger.conflict();
    listeners.forEach(listener -> listener.sessionChanged(vm));
    health(vm, new VmHealth.Conflict(clock.instant()));
  }

  /** Sets the detector's verdict; listeners hear of it when it is another one. */
  public void health(VmRef vm, VmHealth health) {
    Machine machine = machine(vm);
    if (!machine.health.equals(health)) {
      machine.health = health;
      listeners.forEach(listener -> listener.healthChanged(vm, health));
    }
  }

  /** The VM reports; nothing happens without a session. */
  public void report(VmRef vm, TeamReport report) {
    Machine machine = machine(vm);
    if (machine.session == null) {
      return;
    }
    if (machine.ledger.reported(report)) {
      machine
          .ledger
          .ordered(report.teamUid())
          .ifPresentOrElse(
              team ->
                  listeners.forEach(
                      listener -> listener.teamChanged(vm, team.namespace(), team.name())),
              () -> listeners.forEach(listener -> listener.sessionChanged(vm)));
    }
  }

  /** The VM reports the state of the run that it was ordered. */
  public void report(VmRef vm, TeamRef team, State state) {
    report(vm, said(ordered(vm, team), state, null, null));
  }

  /** The VM says that what it was last asked for ahead is made, or why not. */
  public void prepared(VmRef vm, TeamRef team, @Nullable RunFailure failure) {
    ToAgent.Run run =
        machine(vm).sent.reversed().stream()
            .flatMap(message -> preparation(message, team).stream())
            .findFirst()
            .orElseThrow(() -> new AssertionError(vm + " was not asked for anything ahead"));
    prepared(
        vm,
        new Prepared(
            run.teamUid(),
            run.namespace(),
            run.name(),
            run.epoch(),
            failure == null ? null : failure.name(),
            null));
  }

  /** The VM answers what it was asked for ahead; nothing happens without a session. */
  public void prepared(VmRef vm, Prepared answer) {
    Machine machine = machine(vm);
    if (machine.session == null) {
      return;
    }
    machine
        .ledger
        .prepared(answer)
        .ifPresent(
            ref ->
                listeners.forEach(
                    listener -> listener.teamChanged(vm, ref.namespace(), ref.name())));
  }

  private static Optional<ToAgent.Run> preparation(ToAgent message, TeamRef team) {
    return message instanceof ToAgent.Prepare(String uid, _, _, ToAgent.Run run)
            && run != null
            && uid.equals(team.uid())
        ? Optional.of(run)
        : Optional.empty();
  }

  /** The VM reports how far it is with taking away the run that it was last ordered. */
  public void ending(VmRef vm, TeamRef team, State state) {
    ToAgent.Run run =
        machine(vm).sent.reversed().stream()
            .filter(ToAgent.Run.class::isInstance)
            .map(ToAgent.Run.class::cast)
            .filter(sent -> sent.teamUid().equals(team.uid()))
            .findFirst()
            .orElseThrow(() -> new AssertionError(team + " was not ordered to run on " + vm));
    report(vm, said(run, state, null, null));
  }

  /** The VM reports the ordered run healthy. */
  public void healthy(VmRef vm, TeamRef team) {
    report(vm, team, State.HEALTHY);
  }

  /** The VM reports that the ordered run failed. */
  public void fail(VmRef vm, TeamRef team, RunFailure code, String message) {
    report(vm, said(ordered(vm, team), State.FAILED, code, message));
  }

  /** The VM says that nothing of the team at or below the epoch is left. */
  public void gone(VmRef vm, TeamRef team, long epoch) {
    Machine machine = machine(vm);
    if (machine.session == null) {
      return;
    }
    machine
        .ledger
        .gone(new TeamGone(team.uid(), team.namespace(), team.name(), epoch))
        .ifPresent(
            ref ->
                listeners.forEach(
                    listener -> listener.teamChanged(vm, ref.namespace(), ref.name())));
  }

  /** The contributor, or the machine's shutdown, speaks. */
  public void notice(VmRef vm, Notice.Kind kind) {
    machine(vm).voice = kind;
    listeners.forEach(listener -> listener.notice(vm, kind));
  }

  /** The VM's agent says so of its disk; forgotten at its next session. */
  public void disk(VmRef vm, FromAgent.DiskState state) {
    machine(vm).disk = state;
    listeners.forEach(listener -> listener.diskChanged(vm));
  }

  // ---- what a test can look at

  /** Every message that the VM was sent, in order, over all its sessions. */
  public List<ToAgent> sent(VmRef vm) {
    return List.copyOf(machine(vm).sent);
  }

  /** The runs that the hub would tell this VM if it connected now. */
  public List<ToAgent.Run> wanted(VmRef vm) {
    return machine(vm).ledger.wanted();
  }

  /** Where the VM is probed, when it is watched. */
  public Optional<InetSocketAddress> watched(VmRef vm) {
    return Optional.ofNullable(machine(vm).ssh);
  }

  /** How the hub would ask whether the VM lets anybody in. */
  public Optional<LoginCheck> login(VmRef vm) {
    return Optional.ofNullable(machine(vm).login);
  }

  public boolean carriesTeams(VmRef vm) {
    return machine(vm).carriesTeams;
  }

  public boolean forgotten(VmRef vm) {
    return machine(vm).forgotten;
  }

  // ---- the port

  @Override
  public void listen(AgentListener listener) {
    listeners.add(listener);
  }

  @Override
  public Optional<Session> session(VmRef vm) {
    return Optional.ofNullable(machine(vm).session);
  }

  @Override
  public VmHealth health(VmRef vm) {
    return machine(vm).health;
  }

  @Override
  public Optional<Notice.Kind> voice(VmRef vm) {
    Machine machine = machine(vm);
    return Optional.ofNullable(machine.voice)
        .filter(kind -> machine.session != null || kind == Notice.Kind.STOPPING);
  }

  @Override
  public Optional<FromAgent.DiskState> disk(VmRef vm) {
    Machine machine = machine(vm);
    return Optional.ofNullable(machine.disk).filter(state -> machine.session != null);
  }

  @Override
  public void watch(VmRef vm, InetSocketAddress ssh, boolean carriesTeams, LoginCheck login) {
    Machine machine = machine(vm);
    boolean first = machine.ssh == null;
    machine.ssh = ssh;
    machine.login = login;
    machine.carriesTeams = carriesTeams;
    machine.forgotten = false;
    if (first) {
      Session session = machine.session;
      health(
          vm,
          session == null
              ? new VmHealth.Awaited(clock.instant())
              : new VmHealth.Alive(session.lastSeen(), true));
    }
  }

  @Override
  public void forget(VmRef vm) {
    disconnect(vm);
    machines.remove(vm);
    machine(vm).forgotten = true;
  }

  @Override
  public Outcome<Void> prepare(VmRef vm, ToAgent.Prepare prepare) {
    return order(vm, machine(vm).ledger.prepare(prepare));
  }

  /** Every run is refused before it is sent, until this is empty again. */
  public void refuseRuns(Optional<Outcome.Failure> why) {
    refusal = why;
  }

  @Override
  public Outcome<TeamReport> run(VmRef vm, ToAgent.Run run) {
    orderedTeams.add(run.teamUid());
    if (refusal.isPresent()) {
      return new Outcome.Failed<>(refusal.get());
    }
    boolean later =
        machines.values().stream()
            .flatMap(machine -> machine.ledger.wanted().stream())
            .anyMatch(
                other -> other.teamUid().equals(run.teamUid()) && other.epoch() > run.epoch());
    if (later) {
      return Outcome.later(Reason.FENCING, "a later epoch of the team was ordered");
    }
    machines.forEach(
        (other, machine) -> {
          if (!other.equals(vm)) {
            machine.ledger.supersede(run.teamUid(), run.epoch());
          }
        });
    return order(vm, machine(vm).ledger.run(run));
  }

  @Override
  public Outcome<Void> stop(VmRef vm, TeamRef team, long epoch) {
    return order(vm, machine(vm).ledger.stop(team, epoch));
  }

  @Override
  public Set<String> orderedTeams() {
    return Set.copyOf(orderedTeams);
  }

  @Override
  public void forgetTeams(Set<String> uids) {
    orderedTeams.removeAll(uids);
  }

  @Override
  public Outcome<Uninstalled> uninstall(VmRef vm) {
    Machine machine = machine(vm);
    if (machine.session != null && machine.departure.toTell(machine.session)) {
      ToAgent message = new ToAgent.Uninstall();
      machine.sent.add(message);
      if (obedient) {
        obey(vm, message);
      }
    }
    return machine.departure.outcome(machine.session);
  }

  /** The agent says what it has taken away, and hangs up when nothing is left. */
  public void cleared(VmRef vm, List<String> kept, List<String> left) {
    Machine machine = machine(vm);
    machine.departure.cleared(machine.session, new FromAgent.Cleared(kept, left));
    if (left.isEmpty()) {
      disconnect(vm);
    }
  }

  private <T> Outcome<T> order(VmRef vm, Ledger.Order<T> order) {
    ToAgent message = order.send();
    if (message != null) {
      machine(vm).sent.add(message);
      if (obedient) {
        obey(vm, message);
      }
    }
    return order.outcome();
  }

  @Override
  public Optional<TeamReport> report(VmRef vm, TeamRef team) {
    return machine(vm).ledger.report(team.uid());
  }

  @Override
  public List<TeamReport> reports(VmRef vm) {
    return machine(vm).ledger.reports();
  }

  // ---- inside

  private Machine machine(VmRef vm) {
    return machines.computeIfAbsent(vm, key -> new Machine());
  }

  private Instant lastSeen(VmRef vm) {
    Session session = machine(vm).session;
    return session == null ? clock.instant() : session.lastSeen();
  }

  private void obey(VmRef vm, ToAgent message) {
    switch (message) {
      case ToAgent.Run run -> report(vm, said(run, State.HEALTHY, null, null));
      case ToAgent.Stop stop ->
          gone(vm, new TeamRef(stop.namespace(), stop.name(), stop.teamUid()), stop.epoch());
      case ToAgent.Prepare(_, _, _, ToAgent.Run run) when run != null ->
          prepared(vm, new TeamRef(run.namespace(), run.name(), run.teamUid()), null);
      case ToAgent.Welcome _,
          ToAgent.Cadence _,
          ToAgent.Prepare _,
          ToAgent.Challenge _,
          ToAgent.NewToken _ -> {}
      case ToAgent.Uninstall _ -> cleared(vm, List.of(), List.of());
    }
  }

  private ToAgent.Run ordered(VmRef vm, TeamRef team) {
    return wanted(vm).stream()
        .filter(run -> run.teamUid().equals(team.uid()))
        .findFirst()
        .orElseThrow(() -> new AssertionError(team + " was not ordered to run on " + vm));
  }

  private static TeamReport said(
      ToAgent.Run run, State state, @Nullable RunFailure code, @Nullable String message) {
    boolean running = state == State.HEALTHY;
    return new TeamReport(
        run.teamUid(),
        run.namespace(),
        run.name(),
        run.epoch(),
        state,
        code == null ? null : code.name(),
        message,
        run.containers().stream()
            .map(c -> new ContainerReport(c.name(), running, 0, null, null))
            .toList());
  }
}
