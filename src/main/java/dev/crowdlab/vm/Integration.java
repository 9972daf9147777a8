package dev.crowdlab.vm;

import static dev.crowdlab.core.Conditions.find;
import static dev.crowdlab.core.Conditions.holds;
import static dev.crowdlab.core.Conditions.isFalse;
import static dev.crowdlab.core.Conditions.isTrue;
import static dev.crowdlab.core.Conditions.isUnknown;

import dev.crowdlab.api.Backoff;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.Quarantine;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.StepTiming;
import dev.crowdlab.api.VmFacts;
import dev.crowdlab.api.VmStep;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.core.Times;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.LoginCheck;
import dev.crowdlab.integrity.Facts;
import dev.crowdlab.integrity.ProtectedPaths;
import dev.crowdlab.protocol.FromAgent.Notice;
import dev.crowdlab.ssh.Contact;
import dev.crowdlab.ssh.HostKey;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.vm.VmAccess.Configuration;
import dev.crowdlab.vm.VmAccess.Configured;
import dev.crowdlab.vm.VmAccess.Probed;
import dev.crowdlab.vm.VmAccess.Reply;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Quantity;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The steps from a stranger's machine to one whose agent dials the hub: connect, verify, configure.
 * Each step is idempotent, so after a crash all begin again. What they find goes into the status
 * that is given back; nothing is written here.
 */
final class Integration {

  private final VmAccess access;
  private final Enrolment enrolment;
  private final Judge judge;
  private final StepListener steps;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final VmSettings settings;

  Integration(
      VmAccess access,
      Enrolment enrolment,
      Judge judge,
      StepListener steps,
      InstantSource clock,
      RandomGenerator random,
      VmSettings settings) {
    this.access = access;
    this.enrolment = enrolment;
    this.judge = judge;
    this.steps = steps;
    this.clock = clock;
    this.random = random;
    this.settings = settings;
  }

  /**
   * What a verification came to.
   *
   * @param judged whether there is a new verdict; else {@code Verified} is still about the last one
   */
  record Verification(ContributedVMStatus status, boolean judged) {}

  /** Connects, measures and judges; the status says how far it came. */
  Verification verify(VmView view, SshTarget target, boolean sharesMachineId) {
    Instant started = clock.instant();
    Reply<Probed> reply =
        access.probe(
            target,
            new VmAccess.ProbeRequest(
                ProtectedPaths.of(view.vm().getSpec().integrity().protectedPaths()),
                !verifiedBefore(view.vm())),
            Deadline.in(settings.probeBound()));
    ContributedVMStatus.Builder status = contacted(view.status(), reply.contact());
    if (!isAddressRefused(reply.outcome())) {
      // Else nothing was dialled; and an attempt that changes nothing must not write the status.
      status.timings(timed(view.status(), VmStep.CONNECT, started, reply.contact().took()));
    }
    return switch (reply.outcome()) {
      case Outcome.Done<Probed>(Probed probed) -> {
        steps.reached("vm.connected", view.ref());
        ContributedVMStatus reached =
            with(status, isTrue(ConditionType.REACHABLE, Reason.CONNECTED, "The login works"))
                .toBuilder()
                .facts(facts(probed))
                .machineIdHash(probed.facts().machineIdHash())
                .build();
        yield new Verification(judged(view, reached, probed, sharesMachineId, started), true);
      }
      case Outcome.InProgress<Probed>(Duration _, String what) ->
          unverified(
              view,
              status.build(),
              new Failure(Failure.Kind.TRANSIENT, Reason.VERIFICATION_FAILED, what));
      case Outcome.Failed<Probed>(Failure failure) -> unverified(view, status.build(), failure);
    };
  }

  private static boolean isAddressRefused(Outcome<?> outcome) {
    return outcome instanceof Outcome.Failed<?>(Failure failure)
        && failure.reason() == Reason.ADDRESS_NOT_ALLOWED;
  }

  private Verification unverified(VmView view, ContributedVMStatus status, Failure failure) {
    return new Verification(
        failed(view, status, conditionOf(failure, ConditionType.VERIFIED), failure), false);
  }

  /** Installs the agent; {@code Configured} holds when it is there. */
  ContributedVMStatus configure(VmView view, SshTarget target, boolean agentSeen) {
    VmRef vm = view.ref();
    Instant started = clock.instant();
    Reply<Configured> reply = configure(target, vm, agentSeen ? null : newToken(vm));
    if (reply.outcome() instanceof Outcome.Done<Configured>(Configured configured)) {
      String token = configured.tokenSha256();
      if (token == null || !enrolment.acceptsToken(vm, token)) {
        reply = configure(target, vm, newToken(vm));
      }
    }
    ContributedVMStatus.Builder status = contacted(view.status(), reply.contact());
    return switch (reply.outcome()) {
      case Outcome.Done<Configured>(Configured configured) -> {
        steps.reached("vm.configured", vm);
        ContributedVMStatus done =
            with(
                status.timings(
                    timed(
                        view.status(),
                        VmStep.CONFIGURE,
                        started,
                        Duration.between(started, clock.instant()))),
                isTrue(
                    ConditionType.CONFIGURED,
                    Reason.CONFIGURED,
                    "The agent and what it needs are installed"));
        yield stopped(
            done.toBuilder()
                .inputs(view.inputs())
                .backoff(configured.agentRestarted() ? firstStartOfAgent(view) : null),
            configured.agentLeftAlone());
      }
      case Outcome.InProgress<Configured>(Duration _, String what) ->
          failed(
              view,
              status.build(),
              ConditionType.CONFIGURED,
              new Failure(Failure.Kind.TRANSIENT, Reason.CONFIGURATION_FAILED, what));
      case Outcome.Failed<Configured>(Failure failure) ->
          refusedAsNoRoot(target, failure)
              ? failed(view, status.build(), ConditionType.REACHABLE, failure).toBuilder()
                  .backoff(null)
                  .build()
              : failed(
                  view, status.build(), conditionOf(failure, ConditionType.CONFIGURED), failure);
    };
  }

  /** Only the spec mends that the user is not root and is not to use sudo. */
  private static boolean refusedAsNoRoot(SshTarget target, Failure failure) {
    return failure.reason() == Reason.SUDO_REFUSED && !target.sudo();
  }

  /**
   * Restarts the agent and leaves the teams; the backoff keeps a broken agent from being restarted
   * all the time. When the machine's owner has stopped it, it stays so, and the status says it.
   */
  ContributedVMStatus restartAgent(VmView view, SshTarget target) {
    Reply<VmAccess.Restarted> reply =
        access.restartAgent(target, Deadline.in(settings.probeBound()));
    ContributedVMStatus status = contacted(view.status(), reply.contact()).build();
    return switch (reply.outcome()) {
      case Outcome.Failed<VmAccess.Restarted>(Failure failure)
          when failure.reason() == Reason.CONFIGURATION_FAILED ->
          // The service is gone: integrate again, which brings it back.
          failed(view, status, ConditionType.CONFIGURED, failure);
      case Outcome.Failed<VmAccess.Restarted>(Failure failure) ->
          failed(view, status, conditionOf(failure, ConditionType.CONFIGURED), failure);
      case Outcome.Done<VmAccess.Restarted>(VmAccess.Restarted(boolean leftAlone)) ->
          stopped(status.toBuilder().backoff(nextBackoff(view, settings.enrolBound())), leftAlone);
      case Outcome.InProgress<VmAccess.Restarted> _ ->
          status.toBuilder().backoff(nextBackoff(view)).build();
    };
  }

  private String newToken(VmRef vm) {
    String token = enrolment.issueToken(vm);
    steps.reached("vm.admitted", vm);
    return token;
  }

  /** How the hub asks whether the machine lets anybody in; with what is known now. */
  LoginCheck loginCheck(VmView view) {
    return view.target() instanceof Outcome.Done<SshTarget>(SshTarget target)
        ? within -> answers(access.greet(target, Deadline.in(within)).outcome())
        : _ -> false;
  }

  /** An sshd that refuses us at the end has answered too. */
  private static boolean answers(Outcome<VmAccess.Greeted> outcome) {
    return switch (outcome) {
      case Outcome.Done<VmAccess.Greeted> _ -> true;
      case Outcome.InProgress<VmAccess.Greeted> _ -> false;
      case Outcome.Failed<VmAccess.Greeted>(Failure failure) ->
          Reasons.isSaidBySshd(failure.reason());
    };
  }

  /** That the agent was found stopped in order says what its farewell would have said. */
  private ContributedVMStatus stopped(ContributedVMStatus.Builder builder, boolean leftAlone) {
    ContributedVMStatus status = builder.build();
    return leftAlone
        ? status.toBuilder()
            .voice(Voices.next(status.voice(), Optional.of(Notice.Kind.STOPPING), clock.instant()))
            .build()
        : status;
  }

  private Reply<Configured> configure(SshTarget target, VmRef vm, @Nullable String token) {
    return access.configure(
        target,
        new Configuration(vm.uid(), enrolment.hubUrl(), enrolment.caPem(), token),
        Deadline.in(settings.configureBound()));
  }

  private ContributedVMStatus judged(
      VmView view,
      ContributedVMStatus reached,
      Probed probed,
      boolean sharesMachineId,
      Instant started) {
    Judge.Judgement judgement = judge.judge(view.vm(), probed, sharesMachineId);
    ContributedVMStatus.Builder status =
        reached.toBuilder()
            .integrity(judgement.integrity())
            .timings(
                timed(reached, VmStep.VERIFY, started, Duration.between(started, clock.instant())));
    if (judgement.accepted()) {
      return with(
          status, isTrue(ConditionType.VERIFIED, Reason.VERIFIED, "No violation was found"));
    }
    String violations =
        String.join(
            ", ",
            judgement.integrity().findings().stream()
                .filter(dev.crowdlab.api.Finding::violation)
                .limit(5)
                .map(f -> f.kind() + (f.subject() == null ? "" : " " + f.subject()))
                .toList());
    if (judgement.quarantine() && reached.quarantine() == null) {
      status.quarantine(
          new Quarantine(
              "q" + Long.toString(random.nextLong() >>> 24, 36),
              Times.format(clock.instant()),
              Reason.POLICY_VIOLATED.value()));
    }
    return with(
        status.inputs(view.inputs()).backoff(null),
        isFalse(
            ConditionType.VERIFIED,
            Reason.POLICY_VIOLATED,
            "The policy forbids what was found: " + violations));
  }

  private ContributedVMStatus.Builder contacted(ContributedVMStatus status, Contact contact) {
    ContributedVMStatus.Builder builder = status.toBuilder();
    if (contact.authenticated() && contact.address() != null) {
      // Only then was it this machine that answered there: students are sent to this address.
      builder.address(contact.address());
    }
    HostKey presented = contact.presented();
    if (presented != null) {
      builder.hostKey(presented.fingerprint());
    }
    return builder;
  }

  /** Which condition a failure is about: reaching the machine, or the step itself. */
  private static String conditionOf(Failure failure, String step) {
    return Reasons.preventsLogin(failure.reason()) ? ConditionType.REACHABLE : step;
  }

  private ContributedVMStatus failed(
      VmView view, ContributedVMStatus status, String condition, Failure failure) {
    if (failure.kind() == Failure.Kind.TRANSIENT
        && view.session().isPresent()
        && view.inputs().equals(view.status().inputs())
        && holds(status.conditions(), ConditionType.CONFIGURED)
        && !VmAction.isRefused(status)) {
      // The agent is there and well: that sshd did not answer this time is no reason to doubt the
      // machine. What was edited is another matter: nobody knows yet whether it is right.
      return status.toBuilder().backoff(nextBackoff(view)).build();
    }
    ContributedVMStatus.Builder builder =
        status.toBuilder().inputs(view.inputs()).backoff(nextBackoff(view, failure));
    ContributedVMStatus failed =
        with(
            builder,
            failure.reason() == Reason.VERIFICATION_FAILED
                ? isUnknown(condition, failure.reason(), failure.message())
                : isFalse(condition, failure.reason(), failure.message()));
    return condition.equals(ConditionType.CONFIGURED) || condition.equals(ConditionType.VERIFIED)
        ? with(
            failed.toBuilder(),
            isTrue(ConditionType.REACHABLE, Reason.CONNECTED, "The login works"))
        : failed;
  }

  /**
   * Doubled at each attempt with the same inputs, and spread by half so that machines that failed
   * together do not come together again.
   */
  Backoff nextBackoff(VmView view) {
    return nextBackoff(view, Duration.ZERO);
  }

  /** Null when only a change that we are told of is worth another attempt. */
  private @Nullable Backoff nextBackoff(VmView view, Failure failure) {
    return switch (failure.kind()) {
      case TRANSIENT -> nextBackoff(view);
      case TERMINAL ->
          failure.reason() != Reason.ADDRESS_NOT_ALLOWED
                  && Reasons.mayBeMendedElsewhere(failure.reason())
              ? nextBackoff(view, afterRefusal())
              : null;
    };
  }

  /**
   * Long enough that no sshd holds the attempts against us: OpenSSH's penalty for a failed login is
   * 5 s, and one locks nobody out. Up to a fifth more, for those that stand behind one address.
   */
  private Duration afterRefusal() {
    Duration longest = settings.longestBackoff();
    return longest.plusMillis(random.nextLong(longest.toMillis() / 5 + 1));
  }

  /** On a slow machine it takes its time: one that is just starting must not be restarted. */
  private Backoff firstStartOfAgent(VmView view) {
    return backoff(view, 1, settings.enrolBound());
  }

  private Backoff nextBackoff(VmView view, Duration atLeast) {
    Backoff last = view.status().backoff();
    boolean sameInputs = view.inputs().equals(view.status().inputs());
    int attempts = last == null || !sameInputs ? 1 : last.attempts() + 1;
    long bound =
        Math.min(
            settings.longestBackoff().toMillis(),
            settings.firstBackoff().toMillis() << Math.min(attempts - 1, 20));
    long wait = Math.max(atLeast.toMillis(), bound / 2 + random.nextLong(bound / 2 + 1));
    return backoff(view, attempts, Duration.ofMillis(wait));
  }

  private Backoff backoff(VmView view, int attempts, Duration wait) {
    return new Backoff(
        attempts,
        Times.format(clock.instant().plus(wait)),
        view.vm().getMetadata().getGeneration());
  }

  private static boolean verifiedBefore(ContributedVM vm) {
    return vm.getStatus().integrity() != null
        && vm.getStatus().integrity().baselineDigest() != null;
  }

  private static ContributedVMStatus with(
      ContributedVMStatus.Builder builder, Condition condition) {
    ContributedVMStatus status = builder.build();
    List<Condition> conditions = new ArrayList<>(status.conditions());
    // An attempt that ends as the last one did is no transition.
    find(conditions, condition.getType())
        .filter(before -> before.getStatus().equals(condition.getStatus()))
        .ifPresent(before -> condition.setLastTransitionTime(before.getLastTransitionTime()));
    conditions.removeIf(other -> condition.getType().equals(other.getType()));
    conditions.add(condition);
    return status.toBuilder().conditions(conditions).build();
  }

  /** The conditions of an attempt that begins: what was known of the machine stays known. */
  static ContributedVMStatus connecting(VmView view) {
    ContributedVMStatus status = view.status();
    if (VmAction.isRefused(status) && !view.inputs().equals(status.inputs())) {
      // What a person had to correct is corrected, or something is: it counts as new.
      return with(
          status.toBuilder(), isUnknown(ConditionType.REACHABLE, Reason.PROGRESSING, "Connecting"));
    }
    if (holds(status.conditions(), ConditionType.REACHABLE)) {
      return holds(status.conditions(), ConditionType.VERIFIED)
          ? status
          : with(
              status.toBuilder(),
              isUnknown(ConditionType.VERIFIED, Reason.PROGRESSING, "Measuring the machine"));
    }
    return find(status.conditions(), ConditionType.REACHABLE).isPresent() && status.inputs() != null
        ? status
        : with(
            status.toBuilder(),
            isUnknown(ConditionType.REACHABLE, Reason.PROGRESSING, "Connecting"));
  }

  /** The conditions of a configuration that begins. */
  static ContributedVMStatus configuring(ContributedVMStatus status) {
    return holds(status.conditions(), ConditionType.CONFIGURED)
        ? status
        : with(
            status.toBuilder(),
            isUnknown(ConditionType.CONFIGURED, Reason.PROGRESSING, "Installing the agent"));
  }

  private static List<StepTiming> timed(
      ContributedVMStatus status, VmStep step, Instant started, Duration took) {
    List<StepTiming> timings = new ArrayList<>(status.timings());
    timings.removeIf(timing -> timing.step() == step);
    timings.add(new StepTiming(step, Times.format(started), Times.formatDuration(took)));
    timings.sort(java.util.Comparator.comparing(StepTiming::step));
    return timings;
  }

  private static VmFacts facts(Probed probed) {
    Facts facts = probed.facts();
    return new VmFacts(
        facts.os(),
        facts.osVersion(),
        facts.osName(),
        facts.kernel(),
        facts.arch(),
        facts.cpus(),
        bytes(facts.memoryBytes()),
        bytes(facts.diskFreeBytes()),
        millis(probed.roundTrip()),
        millis(probed.clockSkew()),
        facts.packageManager(),
        Times.format(probed.at()));
  }

  private static Quantity bytes(long bytes) {
    return new Quantity(Long.toString(bytes >> 20), "Mi");
  }

  private static String millis(Duration duration) {
    return String.format(Locale.ROOT, "%.1fms", duration.toNanos() / 1e6);
  }
}
