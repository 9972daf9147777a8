package dev.crowdlab.hub;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.HubMetrics.End;
import dev.crowdlab.hub.SecretStore.SecretStoreException;
import dev.crowdlab.protocol.Frames.BadFrameException;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.ToAgent;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@link Agents} over the sessions of the {@link HubServer}: one {@link VmDesk} for each VM. */
final class HubAgents implements Agents {

  /** When a token was offered and the agent has not said that it stored it. */
  private static final Duration OFFER_AGAIN = Duration.ofHours(1);

  private static final Duration REVOKE_AGAIN = Duration.ofSeconds(15);
  private static final int REVOKE_TRIES = 20;

  /** The agents are counted once a second or so. */
  private static final int TICKS_PER_PACE = 20;

  private static final Logger log = LoggerFactory.getLogger(HubAgents.class);

  private final HubContext hub;
  private final Tokens tokens;
  private final Duration rotateAfter;
  private final Executor worker;
  private final Map<String, VmDesk> desks = new ConcurrentHashMap<>();

  /** Where each team was ordered to run last, and at which epoch, by its UID. */
  private final Map<String, Placed> placed = new ConcurrentHashMap<>();

  private int ticks;

  private record Placed(String vmUid, long epoch) {}

  /**
   * @param worker does what asks the API server
   */
  HubAgents(HubContext hub, Tokens tokens, Duration rotateAfter, Executor worker) {
    this.hub = hub;
    this.tokens = tokens;
    this.rotateAfter = rotateAfter;
    this.worker = worker;
  }

  // ---- the server's side

  /** An agent whose token was accepted opened a socket; empty when it was closed at once. */
  Optional<AgentSession> opened(Tokens.Accepted token, AgentSocket socket) {
    VmDesk desk = desk(token.vm());
    AgentSession session = new AgentSession(desk, token, socket, hub.clock());
    if (!desk.opened(session)) {
      return Optional.empty();
    }
    if (!tokens.known(token.vm())) {
      // Forgotten between the check of its token and here.
      desk.end(session, End.FORGOTTEN, VmDesk.NORMAL, "forgotten");
      return Optional.empty();
    }
    return Optional.of(session);
  }

  void closed(AgentSession session) {
    session.desk.closed(session);
  }

  /** A control frame: it counts for the rate, and is otherwise Jetty's. */
  boolean control(AgentSession session, int size) {
    return admits(session, size);
  }

  /** Not what an agent sends. */
  void broken(AgentSession session, String reason) {
    session.desk.end(session, End.PROTOCOL, VmDesk.PROTOCOL_ERROR, reason);
  }

  void frame(AgentSession session, String frame) {
    if (!admits(session, frame.length())) {
      return;
    }
    FromAgent message;
    try {
      message = hub.frames().readFromAgent(frame);
    } catch (BadFrameException e) {
      broken(session, "bad frame: " + e.getMessage());
      return;
    }
    session.desk.said(session, message);
    switch (message) {
      case FromAgent.Hello _ -> {
        if (!session.token.confirmed()) {
          later(
              "confirm a token of " + session.vm, () -> confirm(session, session.token.tokenId()));
        }
      }
      case FromAgent.TokenStored stored -> {
        if (session.desk.storedOffer(session, stored.tokenId())) {
          later("confirm a token of " + session.vm, () -> confirm(session, stored.tokenId()));
        }
      }
      case FromAgent.Heartbeat _,
          FromAgent.TeamReport _,
          FromAgent.TeamGone _,
          FromAgent.Prepared _,
          FromAgent.Notice _,
          FromAgent.Disk _,
          FromAgent.ChallengeAnswer _,
          FromAgent.Leaving _,
          FromAgent.Cleared _ -> {}
    }
  }

  private boolean admits(AgentSession session, int size) {
    boolean admitted;
    synchronized (session.rate) {
      admitted = session.rate.admits(size, hub.clock().nano());
    }
    if (!admitted) {
      session.desk.end(session, End.FLOOD, VmDesk.POLICY, "too many frames");
    }
    return admitted;
  }

  private void confirm(AgentSession session, String tokenId) {
    tokens.confirm(session.vm, tokenId);
  }

  // ---- time

  /** Agents can connect from now on: until here, none could be heard. */
  void opened() {
    hub.own().pulse().rest(hub.clock().nano());
    desks.values().forEach(VmDesk::doubtOurselves);
  }

  /** To be called every {@link DetectorSettings.Self#tick}. */
  void tick() {
    Duration paused = hub.own().pulse().beat(hub.clock().nano());
    if (paused.isPositive()) {
      hub.metrics().paused(paused);
      if (hub.own().pulse().isStall(paused)) {
        log.warn("the hub stood still for {} ms; all clocks start anew", paused.toMillis());
      }
    }
    desks.values().forEach(desk -> desk.tick(paused));
    if (ticks++ % TICKS_PER_PACE == 0) {
      pace();
    }
    hub.own().pulse().rest(hub.clock().nano());
  }

  private void pace() {
    int fast = 0;
    int slow = 0;
    for (VmDesk desk : desks.values()) {
      Optional<Boolean> beatsFast = desk.beatsFast();
      if (beatsFast.isPresent()) {
        fast += beatsFast.get() ? 1 : 0;
        slow += beatsFast.get() ? 0 : 1;
      }
    }
    if (hub.pacer().fit(fast, slow)) {
      log.info(
          "{} agents with teams beat every {} ms from now on, {} others every {} ms",
          fast,
          hub.pacer().beat(true).toMillis(),
          slow,
          hub.pacer().beat(false).toMillis());
      desks.values().forEach(VmDesk::pace);
    }
  }

  /** Offers new tokens where they are due; to be called now and then. */
  void rotate() {
    for (VmDesk desk : desks.values()) {
      desk.rotationDue(rotateAfter, OFFER_AGAIN)
          .ifPresent(
              session ->
                  later(
                      "rotate the token of " + session.vm,
                      () ->
                          tokens
                              .addTo(session.vm)
                              .ifPresent(issued -> desk.offer(session, issued))));
    }
  }

  /** Ends every session; nothing is watched any more. */
  void close() {
    desks.values().forEach(desk -> desk.close(End.HUB_CLOSED, "the hub closes"));
    desks.clear();
    placed.clear();
  }

  // ---- the reconcilers' side

  @Override
  public void listen(AgentListener listener) {
    hub.news().listen(listener);
  }

  @Override
  public Optional<Session> session(VmRef vm) {
    return known(vm).flatMap(VmDesk::session);
  }

  @Override
  public VmHealth health(VmRef vm) {
    return known(vm).map(VmDesk::health).orElseGet(VmHealth.Unwatched::new);
  }

  @Override
  public void watch(VmRef vm, InetSocketAddress ssh, boolean carriesTeams, LoginCheck login) {
    desk(vm).watch(ssh, carriesTeams, login);
  }

  @Override
  public Optional<FromAgent.Notice.Kind> voice(VmRef vm) {
    return known(vm).flatMap(VmDesk::voice);
  }

  @Override
  public Optional<FromAgent.DiskState> disk(VmRef vm) {
    return known(vm).flatMap(VmDesk::disk);
  }

  @Override
  public void forget(VmRef vm) {
    tokens.block(vm);
    VmDesk desk = desks.remove(vm.uid());
    if (desk != null) {
      desk.close(End.FORGOTTEN, "forgotten");
    }
    placed.values().removeIf(place -> place.vmUid().equals(vm.uid()));
    revoke(vm, REVOKE_TRIES);
  }

  private void revoke(VmRef vm, int tries) {
    later(
        "revoke the token of " + vm,
        () -> {
          try {
            tokens.revokeBlocked(vm);
          } catch (SecretStoreException e) {
            if (tries > 1) {
              hub.timers().after(REVOKE_AGAIN, () -> revoke(vm, tries - 1));
            }
            throw e;
          }
        });
  }

  @Override
  public Outcome<Void> prepare(VmRef vm, ToAgent.Prepare prepare) {
    return fits(prepare)
        ? known(vm).map(desk -> desk.prepare(prepare)).orElseGet(HubAgents::nobody)
        : tooLarge();
  }

  private static <T> Outcome<T> tooLarge() {
    return Outcome.refused(
        Reason.CONTAINER_FAILED,
        "the exercise's commands, arguments and environment are too large to be sent");
  }

  @Override
  public Outcome<TeamReport> run(VmRef vm, ToAgent.Run run) {
    Placed here = new Placed(vm.uid(), run.epoch());
    @Nullable Placed before = placed.get(run.teamUid());
    if (before != null && before.epoch() > run.epoch()) {
      return Outcome.later(Reason.FENCING, "a later epoch of the team was ordered");
    }
    if (!fits(run)) {
      return tooLarge();
    }
    Optional<VmDesk> desk = deskToOrder(vm);
    if (desk.isEmpty()) {
      return nobody();
    }
    placed.merge(run.teamUid(), here, (old, young) -> old.epoch() > young.epoch() ? old : young);
    if (before != null && !before.vmUid().equals(vm.uid())) {
      VmDesk former = desks.get(before.vmUid());
      if (former != null) {
        former.supersede(run.teamUid(), run.epoch());
      }
    }
    return desk.get().run(run);
  }

  @Override
  public Outcome<Void> stop(VmRef vm, TeamRef team, long epoch) {
    placed.computeIfPresent(
        team.uid(),
        (uid, place) -> place.vmUid().equals(vm.uid()) && place.epoch() <= epoch ? null : place);
    return deskToOrder(vm).map(desk -> desk.stop(team, epoch)).orElseGet(HubAgents::nobody);
  }

  @Override
  public Set<String> orderedTeams() {
    return Set.copyOf(placed.keySet());
  }

  @Override
  public void forgetTeams(Set<String> uids) {
    placed.keySet().removeAll(uids);
  }

  @Override
  public Outcome<Uninstalled> uninstall(VmRef vm) {
    return known(vm).map(VmDesk::uninstall).orElseGet(HubAgents::nobody);
  }

  /** A VM without a token has no agent that could be told anything: nothing is kept for it. */
  private Optional<VmDesk> deskToOrder(VmRef vm) {
    VmDesk known = desks.get(vm.uid());
    return known == null && tokens.known(vm) ? Optional.of(desk(vm)) : Optional.ofNullable(known);
  }

  private boolean fits(ToAgent message) {
    return hub.frames().write(message).getBytes(StandardCharsets.UTF_8).length
        <= Protocol.MAX_FRAME_BYTES;
  }

  private static <T> Outcome<T> nobody() {
    return Outcome.later(Reason.AGENT_NOT_CONNECTED, "the machine's agent is not connected");
  }

  @Override
  public Optional<TeamReport> report(VmRef vm, TeamRef team) {
    return known(vm).flatMap(desk -> desk.report(team.uid()));
  }

  @Override
  public List<TeamReport> reports(VmRef vm) {
    return known(vm).map(VmDesk::reports).orElse(List.of());
  }

  private VmDesk desk(VmRef vm) {
    return desks.computeIfAbsent(vm.uid(), uid -> new VmDesk(vm, hub));
  }

  private Optional<VmDesk> known(VmRef vm) {
    return Optional.ofNullable(desks.get(vm.uid()));
  }

  private void later(String what, Runnable task) {
    worker.execute(
        () -> {
          try {
            task.run();
          } catch (SecretStoreException e) {
            log.warn("could not {}: {}", what, e.getMessage());
          }
        });
  }
}
