package dev.crowdlab.hub;

import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Detector.Verdict;
import dev.crowdlab.hub.HubMetrics.End;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.FromAgent.Hello;
import dev.crowdlab.protocol.FromAgent.TeamGone;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.ToAgent;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All that the hub has to do with one VM: who speaks for it, what it is told, whether it lives.
 * Every method is short and holds the desk's lock; nothing blocks.
 *
 * <p>Who speaks: the first session does. When a second one appears, nobody is told anything new
 * until it is clear who the VM is: the first is challenged on its own socket. No answer in its
 * bound, and the second takes its place; an answer, and they are in conflict until one of them
 * goes.
 */
final class VmDesk {

  /**
   * Connections with one identity: the one that speaks, a second, and two that have said nothing.
   */
  private static final int MAX_SOCKETS = 4;

  private static final Duration HELLO_WITHIN = Duration.ofSeconds(5);
  private static final Duration SENT_WITHIN = Duration.ofSeconds(10);
  private static final Duration LOOK_AT_LEAST = Duration.ofSeconds(1);

  /**
   * Between two changes of what the machine's owner wants, and between two of what is said of its
   * disk. An orderly stop waits 30 s for its teams, so that it may wait this long to be heard.
   */
  static final Duration WORD_AT_MOST_EVERY = Duration.ofSeconds(2);

  static final int NORMAL = 1000;
  static final int PROTOCOL_ERROR = Protocol.PROTOCOL_ERROR;
  static final int POLICY = 1008;
  static final int TRY_AGAIN = 1013;

  private static final Logger log = LoggerFactory.getLogger(VmDesk.class);

  private enum Standing {
    NOBODY,
    WELCOME,
    CONTEST,
    CONFLICT
  }

  private final VmRef vm;
  private final HubContext hub;
  private final Ledger ledger = new Ledger();
  private final Departure departure = new Departure();
  private final List<AgentSession> sockets = new ArrayList<>();
  private final List<AgentSession> greeted = new ArrayList<>();
  private Standing standing = Standing.NOBODY;
  private @Nullable AgentSession current;
  private int contest;
  private @Nullable Lookout lookout;
  private boolean carriesTeams;

  /** Until then time alone brings nothing about. */
  private volatile long quietUntil;

  private final Word.Turns voiceTurns;
  private final Word.Turns diskTurns;

  /** Whether the last session ended with the word that it is an orderly stop. */
  private boolean farewell;

  VmDesk(VmRef vm, HubContext hub) {
    this.vm = vm;
    this.hub = hub;
    this.quietUntil = hub.clock().nano();
    this.voiceTurns = new Word.Turns(WORD_AT_MOST_EVERY, quietUntil);
    this.diskTurns = new Word.Turns(WORD_AT_MOST_EVERY, quietUntil);
  }

  // ---- sessions

  /** A socket was opened with the VM's token; false when there are too many. */
  synchronized boolean opened(AgentSession session) {
    hub.metrics().opened();
    sockets.add(session);
    quietUntil = hub.clock().nano();
    if (sockets.size() > MAX_SOCKETS) {
      end(session, End.PROTOCOL, TRY_AGAIN, "too many connections");
      return false;
    }
    return true;
  }

  /** The socket is closed. */
  synchronized void closed(AgentSession session) {
    remove(session, End.BY_AGENT, () -> {});
  }

  /** Closes the socket with a word; what it still sends is ignored. */
  synchronized void end(AgentSession session, End cause, int code, String reason) {
    if (!session.ended() && code != NORMAL) {
      log.warn("{}: the hub ends a session: {}", vm, reason);
    }
    remove(session, cause, () -> session.socket.close(code, reason));
  }

  private void cut(AgentSession session, End cause) {
    remove(session, cause, session.socket::disconnect);
  }

  private void remove(AgentSession session, End cause, Runnable goodbye) {
    if (!session.end()) {
      return;
    }
    goodbye.run();
    hub.metrics().ended(cause);
    sockets.remove(session);
    if (!greeted.remove(session)) {
      return;
    }
    log.info("{}: session of {} ended ({})", vm, session.connectedSince, cause);
    if (greeted.isEmpty()) {
      farewell = session.voice.said().equals(Optional.of(FromAgent.Notice.Kind.STOPPING));
      standing = Standing.NOBODY;
      current = null;
      ledger.down();
      if (lookout != null) {
        lookout.contested(false);
        lookout.disconnected();
      }
      hub.news().session(vm);
      look();
    } else {
      crown(greeted.getFirst());
    }
  }

  /** What the agent said; nothing when the session has ended. */
  synchronized void said(AgentSession session, FromAgent message) {
    if (session.ended()) {
      return;
    }
    session.heardAt = hub.clock().nano();
    session.lastSeen = hub.clock().now();
    if (session.hello == null) {
      if (message instanceof Hello hello && isSpoken(hello.protocol())) {
        greet(session, hello);
      } else {
        end(
            session,
            End.PROTOCOL,
            PROTOCOL_ERROR,
            "expected hello, protocol " + Protocol.OLDEST + " to " + Protocol.VERSION);
      }
      return;
    }
    if (lookout != null) {
      lookout.heard();
    }
    switch (message) {
      case Hello _ -> end(session, End.PROTOCOL, PROTOCOL_ERROR, "a second hello");
      case FromAgent.Heartbeat _ -> {
        hub.metrics().heartbeat();
        if (lookout != null && session == current && session.toldBeat != null) {
          lookout.beat(session.toldBeat);
        }
      }
      case TeamReport report -> reported(session, Clean.report(report));
      case TeamGone gone -> gone(session, gone);
      case FromAgent.Prepared prepared -> prepared(session, Clean.prepared(prepared));
      case FromAgent.Notice notice -> {
        session.voice.say(notice.kind());
        hear(session);
      }
      case FromAgent.Disk disk -> {
        session.disk.say(disk.state());
        hear(session);
      }
      case FromAgent.ChallengeAnswer answer -> answered(session, answer.nonce());
      case FromAgent.TokenStored _ -> {}
      case FromAgent.Leaving _ -> departure.leaving(session);
      case FromAgent.Cleared cleared -> {
        if (departure.cleared(session, cleared)) {
          hub.news().session(vm);
        }
      }
    }
    look();
  }

  /**
   * What the agent said last counts, unless another change counted just now; then it does soon, by
   * {@link #tick}. To say the same again is no news.
   */
  private void hear(AgentSession session) {
    hear(session, session.voice, voiceTurns).ifPresent(said -> hub.news().notice(vm, said));
    hear(session, session.disk, diskTurns).ifPresent(_ -> hub.news().disk(vm));
  }

  /** What is to be told of a word; of one that does not speak for the VM nothing is. */
  private <T> Optional<T> hear(AgentSession session, Word<T> word, Word.Turns turns) {
    boolean speaks = session == current && standing != Standing.CONFLICT;
    long now = hub.clock().nano();
    if (!word.isNews() || (speaks && !turns.isDue(now))) {
      return Optional.empty();
    }
    word.take();
    if (!speaks) {
      return Optional.empty();
    }
    turns.taken(now);
    return word.counts();
  }

  private static boolean isSpoken(int protocol) {
    return protocol >= Protocol.OLDEST && protocol <= Protocol.VERSION;
  }

  private void greet(AgentSession session, Hello hello) {
    session.hello = hello;
    session.reports = new Reports(hello.teams().stream().map(Clean::report).toList());
    if (hello.disk() != null) {
      // It counts with the session, which is told anyway.
      session.disk.say(hello.disk());
      session.disk.take();
    }
    if (lookout != null && standing != Standing.NOBODY) {
      lookout.heard();
    }
    switch (standing) {
      case NOBODY -> {
        greeted.add(session);
        crown(session);
      }
      case WELCOME -> {
        greeted.add(session);
        challenge();
      }
      case CONTEST, CONFLICT ->
          end(session, End.REPLACED, TRY_AGAIN, "two sessions claim this identity");
    }
  }

  /** This session speaks for the VM. */
  private void crown(AgentSession session) {
    standing = Standing.WELCOME;
    session.challenge = null;
    boolean newcomer = current != session;
    current = session;
    if (lookout != null) {
      lookout.contested(false);
      if (newcomer) {
        lookout.connected();
      }
    }
    log.info(
        "{}: session of {} speaks for the VM ({} teams reported)",
        vm,
        session.connectedSince,
        session.reports.all().size());
    welcome(session);
    List<ToAgent> messages =
        newcomer ? ledger.up(session.reports, session.protocol()) : ledger.resume(session.reports);
    messages.forEach(message -> send(session, message));
    hub.news().session(vm);
    ledger.wanted().forEach(run -> hub.news().team(vm, run.namespace(), run.name()));
    look();
  }

  private void welcome(AgentSession session) {
    Duration beat = hub.pacer().beat(carriesTeams);
    if (!beat.equals(session.toldBeat)) {
      int millis = Math.toIntExact(beat.toMillis());
      ToAgent message =
          session.toldBeat == null ? new ToAgent.Welcome(millis) : new ToAgent.Cadence(millis);
      session.toldBeat = beat;
      if (lookout != null) {
        lookout.told(beat);
      }
      send(session, message);
    }
  }

  private void challenge() {
    standing = Standing.CONTEST;
    ledger.hold();
    int number = ++contest;
    AgentSession first = greeted.getFirst();
    String nonce = hub.nonces().get();
    first.challenge = nonce;
    log.warn("{}: a second session appeared; the first is challenged", vm);
    send(first, new ToAgent.Challenge(nonce));
    hub.timers().after(hub.settings().patience().challenge(), () -> settle(number));
  }

  private void answered(AgentSession session, String nonce) {
    if (nonce.equals(session.challenge)) {
      session.challenge = null;
      settle(contest);
    }
  }

  private synchronized void settle(int number) {
    if (standing != Standing.CONTEST || number != contest) {
      return;
    }
    for (AgentSession session : List.copyOf(greeted)) {
      if (session.challenge != null) {
        log.info("{}: the first session did not answer; it is replaced", vm);
        cut(session, End.REPLACED);
        return;
      }
    }
    standing = Standing.CONFLICT;
    ledger.conflict();
    if (lookout != null) {
      lookout.contested(true);
    }
    log.warn("{}: two sessions answer for one VM; neither is told anything new", vm);
    greeted.forEach(this::welcome);
    hub.news().session(vm);
    look();
  }

  private void reported(AgentSession session, TeamReport report) {
    if (session == current && standing != Standing.CONFLICT) {
      if (ledger.reported(report)) {
        // What was not ordered is not taken at its word for whose it is: the machine is looked at.
        ledger
            .ordered(report.teamUid())
            .ifPresentOrElse(
                team -> hub.news().team(vm, team.namespace(), team.name()),
                () -> hub.news().session(vm));
      }
    } else {
      session.reports.put(report);
    }
  }

  private void prepared(AgentSession session, FromAgent.Prepared said) {
    if (session == current && standing != Standing.CONFLICT) {
      ledger.prepared(said).ifPresent(team -> hub.news().team(vm, team.namespace(), team.name()));
    }
  }

  private void gone(AgentSession session, TeamGone said) {
    if (session == current && standing != Standing.CONFLICT) {
      ledger.gone(said).ifPresent(team -> hub.news().team(vm, team.namespace(), team.name()));
    } else {
      session.reports.gone(said.teamUid(), said.epoch());
    }
  }

  private void send(AgentSession session, ToAgent message) {
    if (!session.ended() && !session.outbox.offer(hub.frames().write(message))) {
      hub.metrics().overflow();
      log.warn("{}: the agent does not read; its session ends", vm);
      cut(session, End.SLOW_READER);
    }
  }

  /** Offers a new token to a session that still speaks for the VM. */
  synchronized void offer(AgentSession session, Tokens.Issued issued) {
    if (session == current && standing == Standing.WELCOME) {
      session.offeredTokenId = issued.tokenId();
      send(session, new ToAgent.NewToken(issued.tokenId(), issued.token()));
    }
  }

  /** The session for which a new token is due; it counts as asked for from now on. */
  synchronized Optional<AgentSession> rotationDue(Duration after, Duration again) {
    AgentSession session = current;
    long now = hub.clock().nano();
    if (session == null
        || standing != Standing.WELCOME
        || session.tokenAge(hub.clock().now()).compareTo(after) < 0
        || (session.offeredAt != 0 && now - session.offeredAt < again.toNanos())) {
      return Optional.empty();
    }
    session.offeredAt = now;
    return Optional.of(session);
  }

  /** Whether this is the answer to a token that this session was offered; true once. */
  synchronized boolean storedOffer(AgentSession session, String tokenId) {
    if (session.ended() || !tokenId.equals(session.offeredTokenId)) {
      return false;
    }
    session.tokenStored(hub.clock().now());
    return true;
  }

  // ---- the port

  synchronized Optional<Agents.Session> session() {
    AgentSession session = current;
    Hello hello = session == null ? null : session.hello;
    if (session == null || hello == null || standing == Standing.CONFLICT) {
      return Optional.empty();
    }
    return Optional.of(
        new Agents.Session(
            vm,
            hello.agentVersion(),
            hello.bootId(),
            hello.machineId(),
            hello.workspaceKey(),
            session.connectedSince,
            session.lastSeen));
  }

  synchronized Optional<FromAgent.Notice.Kind> voice() {
    if (current == null) {
      return farewell ? Optional.of(FromAgent.Notice.Kind.STOPPING) : Optional.empty();
    }
    return standing == Standing.CONFLICT ? Optional.empty() : current.voice.counts();
  }

  synchronized Optional<FromAgent.DiskState> disk() {
    return current == null || standing == Standing.CONFLICT
        ? Optional.empty()
        : current.disk.counts();
  }

  synchronized VmHealth health() {
    return lookout == null ? new VmHealth.Unwatched() : lookout.health();
  }

  synchronized void watch(InetSocketAddress sshd, boolean teams, LoginCheck login) {
    carriesTeams = teams;
    if (lookout == null) {
      lookout = new Lookout(vm, hub, this, sshd, this::decided);
      if (current != null) {
        lookout.connected();
      }
      lookout.contested(standing == Standing.CONFLICT);
    }
    lookout.at(sshd, login);
    pace();
    look();
  }

  /** Tells the agent how often it shall beat now, if that is news. */
  synchronized void pace() {
    if (current != null) {
      welcome(current);
    }
  }

  /** How often its agent shall beat; empty while there is none. */
  synchronized Optional<Boolean> beatsFast() {
    return current == null ? Optional.empty() : Optional.of(carriesTeams);
  }

  synchronized Outcome<Void> prepare(ToAgent.Prepare prepare) {
    return order(ledger.prepare(prepare));
  }

  synchronized Outcome<TeamReport> run(ToAgent.Run run) {
    return order(ledger.run(run));
  }

  synchronized Outcome<Void> stop(TeamRef team, long epoch) {
    return order(ledger.stop(team, epoch));
  }

  synchronized Outcome<Agents.Uninstalled> uninstall() {
    AgentSession speaker = standing == Standing.WELCOME ? current : null;
    if (speaker != null && departure.toTell(speaker)) {
      log.info("{}: its agent is told to take everything away", vm);
      send(speaker, new ToAgent.Uninstall());
    }
    return departure.outcome(current);
  }

  synchronized void supersede(String teamUid, long epoch) {
    ledger.supersede(teamUid, epoch);
  }

  private <T> Outcome<T> order(Ledger.Order<T> order) {
    ToAgent message = order.send();
    if (message != null && current != null) {
      send(current, message);
    }
    return order.outcome();
  }

  synchronized Optional<TeamReport> report(String teamUid) {
    return ledger.report(teamUid);
  }

  synchronized List<TeamReport> reports() {
    return ledger.reports();
  }

  /** Ends all sessions and the watch. */
  synchronized void close(End cause, String reason) {
    if (lookout != null) {
      lookout.end();
    }
    lookout = null;
    for (AgentSession session : List.copyOf(sockets)) {
      end(session, cause, NORMAL, reason);
    }
  }

  // ---- the watch

  /**
   * Looks at what time alone brings about.
   *
   * @param paused for how long we ourselves stood still until now
   */
  void tick(Duration paused) {
    // Most machines are well most of the time: for those not even the lock is taken.
    if (paused.isPositive() || hub.clock().nano() - quietUntil >= 0) {
      tickNow(paused);
    }
  }

  private synchronized void tickNow(Duration paused) {
    if (hub.own().pulse().isStall(paused)) {
      doubtOurselves();
    } else if (lookout != null && paused.isPositive()) {
      lookout.pausedFor(paused);
    }
    for (AgentSession session : List.copyOf(sockets)) {
      Duration silent = hub.clock().since(session.heardAt);
      if (session.hello == null && silent.compareTo(HELLO_WITHIN) > 0) {
        end(session, End.PROTOCOL, POLICY, "no hello");
      } else if (session.outbox.inFlightFor().compareTo(SENT_WITHIN) > 0) {
        hub.metrics().overflow();
        log.warn("{}: the agent does not read; its session ends", vm);
        cut(session, End.SLOW_READER);
      } else if (standing == Standing.CONFLICT
          && silent.compareTo(hub.settings().suspicion().floor(hub.pacer().slowest())) > 0) {
        cut(session, End.DETECTOR);
      }
    }
    List.copyOf(greeted).forEach(this::hear);
    look();
  }

  /** What we did not hear until now is not held against anybody. */
  synchronized void doubtOurselves() {
    for (AgentSession session : sockets) {
      session.heardAt = hub.clock().nano();
      session.outbox.restart();
    }
    if (lookout != null) {
      lookout.doubtOurselves();
    }
  }

  private void look() {
    long now = hub.clock().nano();
    boolean allGreeted = greeted.size() == sockets.size();
    quietUntil = allGreeted ? now + LOOK_AT_LEAST.toNanos() : now;
    if (lookout != null) {
      lookout.look();
      quietUntil = Math.min(quietUntil, lookout.quietUntil());
    }
    if (current != null && current.voice.isNews()) {
      quietUntil = Math.min(quietUntil, voiceTurns.next());
    }
    if (current != null && current.disk.isNews()) {
      quietUntil = Math.min(quietUntil, diskTurns.next());
    }
  }

  private void decided(Verdict verdict) {
    switch (verdict) {
      case VM_LOST, VM_HUNG -> {
        ledger.lost();
        List.copyOf(greeted).forEach(session -> cut(session, End.DETECTOR));
      }
      case AGENT_DOWN, AGENT_HUNG ->
          List.copyOf(greeted).forEach(session -> cut(session, End.DETECTOR));
      case AWAITED, ALIVE, SUSPECT, CONFLICT -> {}
    }
  }
}
