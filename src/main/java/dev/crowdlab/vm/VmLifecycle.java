package dev.crowdlab.vm;

import static dev.crowdlab.core.Conditions.hasReason;
import static dev.crowdlab.core.Conditions.holds;

import dev.crowdlab.api.AgentStatus;
import dev.crowdlab.api.Backoff;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.Names;
import dev.crowdlab.api.Quarantine;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.Reputation;
import dev.crowdlab.api.StepTiming;
import dev.crowdlab.api.VmPhase;
import dev.crowdlab.api.VmStep;
import dev.crowdlab.api.Voice;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.core.EventRecorder;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.core.Times;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.hub.VmHealth.AgentFault;
import dev.crowdlab.hub.VmHealth.VmFault;
import dev.crowdlab.ssh.SshTarget;
import io.fabric8.kubernetes.api.model.Condition;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One pass over a machine: observe, decide, act one step, record. Knows nothing of the operator
 * framework.
 */
final class VmLifecycle {

  /** A twin that goes tells nobody; the other one looks. */
  private static final Duration TWIN_INTERVAL = Duration.ofSeconds(5);

  private static final Set<String> TOLD =
      Set.of(ConditionType.READY, ConditionType.QUARANTINED, ConditionType.DRAINED);

  private final VmObserver observer;
  private final Integration integration;
  private final Agents agents;
  private final Judge judge;
  private final EventRecorder events;
  private final StepListener steps;
  private final InstantSource clock;
  private final VmSettings settings;
  private final Reputations reputations;

  VmLifecycle(
      VmObserver observer,
      Integration integration,
      Agents agents,
      Judge judge,
      EventRecorder events,
      StepListener steps,
      InstantSource clock,
      VmSettings settings) {
    this.observer = observer;
    this.integration = integration;
    this.agents = agents;
    this.judge = judge;
    this.events = events;
    this.steps = steps;
    this.clock = clock;
    this.settings = settings;
    this.reputations = new Reputations(settings.returning());
  }

  /** Carries out one step and writes what is known then; gives back when to look again. */
  Duration pass(ContributedVM observed, VmSurroundings around, StatusSink sink) {
    return new Pass(observed, around, sink).run();
  }

  /** The whole status for what is observed. */
  ContributedVMStatus statusOf(VmView view) {
    Reputation reputation = reputations.now(view);
    VmConditions conditions = new VmConditions(view, reputation);
    ContributedVMStatus status = view.status();
    List<Condition> wanted = conditions.all();
    Long generation =
        view.paused() || isUnproven(view, wanted)
            ? status.observedGeneration()
            : view.vm().getMetadata().getGeneration();
    List<Condition> merged = Conditions.merge(status.conditions(), wanted, clock, generation);
    return status.toBuilder()
        .reputation(reputation)
        .observedGeneration(generation)
        .conditions(merged)
        .phase(conditions.phase(merged))
        .backoff(backoff(view))
        .teams(view.teams())
        .occupancy(view.teams().size() + "/" + view.vm().getSpec().capacity().teams())
        .agent(agent(view))
        .timings(enrolled(view))
        .build();
  }

  /** Until when the next attempt waits, by what is observed. */
  private @Nullable Backoff backoff(VmView view) {
    ContributedVMStatus status = view.status();
    Backoff backoff = status.backoff();
    return switch (view.health()) {
      // Who stopped it starts it again, and who leaves is not taken in again.
      case VmHealth.Lost _ when view.awayByWish() -> backoff;
      case VmHealth.Lost(_, _, VmFault fault) when fault == VmFault.HUNG -> null;
      case VmHealth.Lost _ ->
          backoff == null && !VmAction.isRefused(status) ? integration.nextBackoff(view) : backoff;
      case VmHealth.Alive _ -> isSettled(view) ? null : backoff;
      case VmHealth.Unwatched _,
          VmHealth.Awaited _,
          VmHealth.Suspect _,
          VmHealth.AgentDown _,
          VmHealth.Conflict _ ->
          backoff;
    };
  }

  /** Whether the last attempt is of no importance any more: the machine is well. */
  private static boolean isSettled(VmView view) {
    ContributedVMStatus status = view.status();
    return holds(status.conditions(), ConditionType.CONFIGURED)
        && view.inputs().equals(status.inputs())
        && !VmAction.isRefused(status)
        && (!VmAction.isUnfinished(status) || cameSince(view));
  }

  /** A Ready that was found out with other inputs says nothing of an edit that is being tried. */
  private static boolean isUnproven(VmView view, List<Condition> wanted) {
    return holds(wanted, ConditionType.READY) && !view.inputs().equals(view.status().inputs());
  }

  /** Whether the agent came after the last attempt to log in: then the next one is due at once. */
  private static boolean cameSince(VmView view) {
    String attempted =
        view.status().timings().stream()
            .filter(timing -> timing.step() == VmStep.CONNECT)
            .map(StepTiming::startedAt)
            .findFirst()
            .orElse(null);
    return view.session().isPresent()
        && (attempted == null
            || view.session().get().connectedSince().isAfter(Times.parse(attempted)));
  }

  /** The time from the end of the configuration to the agent's first session after it. */
  private static List<StepTiming> enrolled(VmView view) {
    List<StepTiming> timings = view.status().timings();
    Optional<StepTiming> configured =
        timings.stream().filter(timing -> timing.step() == VmStep.CONFIGURE).findFirst();
    String began = configured.map(StepTiming::startedAt).orElse(null);
    String took = configured.map(StepTiming::duration).orElse(null);
    String enrolled =
        timings.stream()
            .filter(timing -> timing.step() == VmStep.ENROL)
            .findFirst()
            .map(StepTiming::startedAt)
            .orElse(null);
    boolean timed = began != null && enrolled != null && enrolled.compareTo(began) >= 0;
    if (began == null || took == null || timed || view.session().isEmpty()) {
      return timings;
    }
    Instant start = Times.parse(began).plus(Times.parseSeconds(took));
    Duration enrolment = Duration.between(start, view.session().get().connectedSince());
    List<StepTiming> with = new ArrayList<>(timings);
    with.removeIf(timing -> timing.step() == VmStep.ENROL);
    with.add(new StepTiming(VmStep.ENROL, Times.format(start), Times.formatDuration(enrolment)));
    with.sort(Comparator.comparing(StepTiming::step));
    return with;
  }

  /** The status for a pass that failed for a reason of our own; what was known stays. */
  ContributedVMStatus internalError(ContributedVM vm) {
    ContributedVMStatus status = vm.getStatus();
    String message = "The operator failed; its log says why, and it tries again";
    List<Condition> wanted = new ArrayList<>(status.conditions());
    wanted.removeIf(
        condition ->
            Set.of(ConditionType.READY, ConditionType.STALLED, ConditionType.RECONCILING)
                .contains(condition.getType()));
    wanted.add(Conditions.isFalse(ConditionType.READY, Reason.INTERNAL_ERROR, message));
    wanted.add(Conditions.isTrue(ConditionType.RECONCILING, Reason.INTERNAL_ERROR, message));
    Long generation = vm.getMetadata().getGeneration();
    return status.toBuilder()
        .observedGeneration(generation)
        .phase(VmPhase.PENDING)
        .conditions(Conditions.merge(status.conditions(), wanted, clock, generation))
        .build();
  }

  /**
   * The agent's last sign of life is refreshed only now and then: each write of a status is an
   * event for everybody who watches.
   */
  private @Nullable AgentStatus agent(VmView view) {
    AgentStatus last = view.status().agent();
    Optional<Agents.Session> session = view.session();
    if (session.isEmpty()) {
      return last == null
          ? null
          : new AgentStatus(last.version(), null, last.lastSeen(), last.bootId());
    }
    String since = Times.format(session.get().connectedSince());
    boolean recent =
        last != null
            && since.equals(last.connectedSince())
            && last.lastSeen() != null
            && Times.parse(last.lastSeen())
                .plus(settings.refresh())
                .isAfter(session.get().lastSeen());
    return recent
        ? last
        : new AgentStatus(
            session.get().agentVersion(),
            since,
            Times.format(session.get().lastSeen()),
            session.get().bootId());
  }

  /** Accepted, or what was found is only reported. */
  private static boolean mayBeConfigured(ContributedVMStatus status) {
    return holds(status.conditions(), ConditionType.VERIFIED)
        || (hasReason(status.conditions(), ConditionType.VERIFIED, Reason.POLICY_VIOLATED)
            && status.quarantine() == null);
  }

  /** One pass; {@code written} is the object as the API server has it. */
  private final class Pass {
    private ContributedVM written;
    private final VmSurroundings around;
    private final StatusSink sink;

    Pass(ContributedVM written, VmSurroundings around, StatusSink sink) {
      this.written = written;
      this.around = around;
      this.sink = sink;
    }

    Duration run() {
      VmView view = view(answered());
      tellHold(view);
      watch(view);
      if (view.target() instanceof Outcome.Done<SshTarget>(SshTarget target)) {
        view = view(act(view, target));
        watch(view);
      }
      save(view);
      return new VmConditions(view, view.status().reputation())
          .lookAgain(view.olderTwin().isPresent() ? TWIN_INTERVAL : settings.refresh());
    }

    private ContributedVMStatus act(VmView view, SshTarget target) {
      return switch (VmAction.decide(view, settings.enrolBound(), settings.reverify())) {
        case VmAction.Rest _ -> view.status();
        case VmAction.Verify _ -> integration.verify(view, target, sharesMachineId()).status();
        case VmAction.LookForAgent _ -> integration.restartAgent(view, target);
        case VmAction.RestartAgent _ -> {
          ContributedVMStatus after = integration.restartAgent(view, target);
          if (!Voices.isStopped(after.voice())) {
            tellAgent(view);
          }
          yield after;
        }
        case VmAction.Integrate _ -> integrate(view, target);
      };
    }

    private void tellAgent(VmView view) {
      if (view.health() instanceof VmHealth.AgentDown(_, _, AgentFault fault)
          && fault == AgentFault.HUNG) {
        events.warning(written, Reason.AGENT_HUNG, "sshd answers, the agent hangs: restarting it");
      } else {
        events.warning(
            written, Reason.AGENT_LOST, "sshd answers, the agent does not: restarting it");
      }
    }

    /** Why a machine that does not answer is not held for lost. */
    private void tellHold(VmView view) {
      if (view.health() instanceof VmHealth.Suspect(_, _, VmHealth.Hold hold)) {
        switch (hold) {
          case NONE, STORM -> {}
          case STORM_TO_SAY ->
              events.warning(
                  written,
                  Reason.LOSS_DOUBTED,
                  "Too many machines vanished at once: the operator doubts itself first, and"
                      + " confirms them one by one");
          case DEAF ->
              events.warning(
                  written,
                  Reason.LOSS_DOUBTED,
                  "It does not answer, but the operator hears nobody else either: its own network"
                      + " may be at fault");
        }
      }
    }

    private ContributedVMStatus integrate(VmView view, SshTarget target) {
      VmView connecting = save(view(Integration.connecting(view)));
      Integration.Verification verification =
          integration.verify(connecting, target, sharesMachineId());
      ContributedVMStatus verified = verification.status();
      if (!verification.judged() || !mayBeConfigured(verified)) {
        return verified;
      }
      boolean agentSeen = holds(verified.conditions(), ConditionType.CONFIGURED);
      VmView configuring = save(view(Integration.configuring(verified)));
      steps.reached("vm.verified", configuring.ref());
      if (configuring.olderTwin().isPresent()) {
        // Only the connection showed whose machine it is: nothing is installed on it twice.
        return configuring.status();
      }
      return integration.configure(configuring, target, agentSeen);
    }

    private boolean sharesMachineId() {
      return Twins.sharesMachineId(written, around.all());
    }

    /** Takes the answers that a person gave by annotation; each answers only what it carries. */
    private ContributedVMStatus answered() {
      ContributedVMStatus status = written.getStatus();
      ContributedVMStatus.Builder builder = status.toBuilder();
      // Heard also while our hands are stopped: who asks on the machine sees that it was heard.
      Voice voice = Voices.next(status.voice(), agents.voice(VmView.ref(written)), clock.instant());
      builder.voice(voice);
      if (status.voice() != null && voice == null) {
        builder.reputation(reputations.resumed(status.reputation(), clock.instant()));
      }
      if (VmView.isPaused(written)) {
        return builder.build();
      }
      String approved = VmView.annotations(written).get(Names.APPROVE_HOST_KEY);
      if (approved != null
          && written.getSpec().ssh().hostKey() == null
          && approved.equals(status.hostKey())
          && !approved.equals(status.approvedHostKey())) {
        builder.approvedHostKey(approved);
        events.normal(written, Reason.CONNECTED, "Host key " + approved + " was approved");
      }
      Quarantine quarantine = status.quarantine();
      if (quarantine != null
          && quarantine.id().equals(VmView.annotations(written).get(Names.RELEASE))) {
        judge.release(written);
        builder.quarantine(null).inputs(null).integrity(null);
        events.normal(written, Reason.VERIFIED, "Quarantine " + quarantine.id() + " was released");
      }
      if (voice != null
          && voice.id() != null
          && voice.id().equals(VmView.annotations(written).get(Names.REJOIN))) {
        // From the beginning: what it was accepted with before it left does not count any more.
        judge.forget(written);
        builder.voice(null).inputs(null).integrity(null);
      }
      return builder.build();
    }

    private VmView view(ContributedVMStatus status) {
      return observer.observe(VmObserver.withStatus(written, status), around);
    }

    private VmView save(VmView view) {
      ContributedVMStatus status = statusOf(view);
      if (!status.equals(written.getStatus())) {
        if (view.session().isPresent() && !isConnected(written.getStatus())) {
          steps.reached("vm.enrolled", view.ref());
        }
        tell(written.getStatus(), status);
        written = sink.write(written, status);
      }
      return view(status);
    }

    private static boolean isConnected(ContributedVMStatus status) {
      return status.agent() != null && status.agent().connectedSince() != null;
    }

    /** Events for the transitions that a person would want to read. */
    private void tell(ContributedVMStatus before, ContributedVMStatus after) {
      Voices.news(before.voice(), after.voice())
          .ifPresent(news -> events.normal(written, news.reason(), news.note()));
      for (Condition condition : after.conditions()) {
        boolean same =
            Conditions.find(before.conditions(), condition.getType())
                .filter(old -> old.getReason().equals(condition.getReason()))
                .isPresent();
        boolean told =
            TOLD.contains(condition.getType()) || Reasons.of(condition) == Reason.SSHD_SILENT;
        if (same || !told) {
          continue;
        }
        boolean good = Conditions.TRUE.equals(condition.getStatus());
        boolean bad =
            ConditionType.QUARANTINED.equals(condition.getType())
                || hasReason(after.conditions(), ConditionType.STALLED, Reasons.of(condition))
                || Reasons.isLoss(Reasons.of(condition))
                || Reasons.isOfDisk(Reasons.of(condition))
                || Reasons.of(condition) == Reason.SSHD_SILENT;
        if (good || bad) {
          events.record(
              written,
              bad ? EventRecorder.Type.WARNING : EventRecorder.Type.NORMAL,
              Reasons.of(condition),
              condition.getMessage());
        }
      }
    }

    /** A machine is probed where it was found last, not where an edit says that it may be. */
    private void watch(VmView view) {
      String address = view.status().address();
      List<Condition> conditions = view.status().conditions();
      boolean found =
          holds(conditions, ConditionType.REACHABLE)
              && view.inputs().equals(view.status().inputs());
      boolean carries = holds(conditions, ConditionType.CONFIGURED) || !view.teams().isEmpty();
      if (address == null
          || !carries
          || (!found && !(view.health() instanceof VmHealth.Unwatched))) {
        return;
      }
      try {
        // The text is an address that was checked when it was dialled: nothing is resolved here.
        agents.watch(
            view.ref(),
            new InetSocketAddress(InetAddress.getByName(address), view.vm().getSpec().ssh().port()),
            !view.teams().isEmpty(),
            integration.loginCheck(view));
      } catch (UnknownHostException e) {
        throw new IllegalStateException("status.address of " + view.ref() + " is no address", e);
      }
    }
  }
}
