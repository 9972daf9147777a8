package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.TeamStep;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.storage.Workspaces;
import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import dev.crowdlab.storage.Workspaces.Advanced;
import dev.crowdlab.team.Memory.Proven;
import dev.crowdlab.team.Observed.BoundVm;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the file server to a team's epoch. The file server has the last word on epochs: when it
 * knows a later one than status does, status was rolled back, and the team goes on above it.
 */
final class Fences {

  private static final Logger LOG = LoggerFactory.getLogger(Fences.class);

  /** Stands in a seal where a machine's UID would. */
  private static final String NO_VM = "none";

  private static final Duration FIRST = Duration.ofMillis(500);
  private static final Duration MOST = Duration.ofSeconds(30);

  private final Workspaces workspaces;
  private final Vms vms;
  private final Agents agents;
  private final QuotaWatch quotas;
  private final TeamSettings settings;
  private final Retry retry;
  private final Progress progress;
  private final InstantSource clock;

  Fences(
      Workspaces workspaces,
      Vms vms,
      Agents agents,
      QuotaWatch quotas,
      TeamSettings settings,
      Retry retry,
      Progress progress,
      InstantSource clock) {
    this.workspaces = workspaces;
    this.vms = vms;
    this.agents = agents;
    this.quotas = quotas;
    this.settings = settings;
    this.retry = retry;
    this.progress = progress;
    this.clock = clock;
  }

  /** Advances to the binding's epoch, for the machine's own key. */
  Result fence(Pass pass, Observed o) {
    Binding binding = o.binding().orElseThrow();
    Optional<String> key = key(o);
    if (key.isEmpty()) {
      return Result.park(Duration.ofSeconds(5));
    }
    String uid = binding.vmUid() == null ? "" : binding.vmUid();
    return advance(pass, o, binding.epoch(), uid, key.get());
  }

  /** Advances to an epoch at which nobody writes. */
  Result seal(Pass pass, Observed o, long epoch) {
    if (!Decision.isAtRest(o)) {
      return advance(pass, o, epoch, NO_VM, null);
    }
    // It rests already, by another process's word: what fails here is left for later.
    Optional<Proven> proven = repeat(pass, o, epoch, NO_VM, null);
    proven.ifPresentOrElse(
        known -> pass.memory(memory -> memory.proven(known)),
        () -> pass.memory(memory -> memory.quietUntil(o.now().plus(MOST))));
    return Result.go();
  }

  /** The file server refused our epoch: the next binding gets one above all that it knows. */
  Result learnEpoch(Pass pass, Observed o) {
    return switch (highest(pass)) {
      case Outcome.Done<Long>(Long highest) -> adopt(pass, o, highest);
      case Outcome.InProgress<Long>(Duration lookAgain, _) -> Result.park(lookAgain);
      case Outcome.Failed<Long>(Failure failure) -> backOff(pass, o, failure);
    };
  }

  /**
   * Repeats the fence of a run that another process had started, so that this one knows its mount
   * and sets its size. What fails here is left for later: the team runs.
   */
  Optional<Proven> repeat(Pass pass, Observed o) {
    Binding binding = o.binding().orElseThrow();
    Optional<String> key = key(o);
    if (key.isEmpty() || binding.vmUid() == null) {
      return Optional.empty();
    }
    Optional<Proven> proven = repeat(pass, o, binding.epoch(), binding.vmUid(), key.get());
    if (proven.filter(Proven::quota).isPresent()) {
      // What was full may have room now; and another process's last look is not known here.
      quotas.look(pass.team());
    }
    return proven;
  }

  private Optional<Proven> repeat(
      Pass pass, Observed o, long epoch, String vm, @Nullable String key) {
    return switch (advance(pass, epoch, vm, key)) {
      case Outcome.Done<Advanced>(Advanced advanced) -> Optional.of(proven(pass, epoch, advanced));
      case Outcome.InProgress<Advanced> _ -> Optional.empty();
      case Outcome.Failed<Advanced>(Failure failure) -> {
        LOG.info("{}: the fence could not be repeated: {}", pass.ref(), failure.message());
        if (failure.kind() == Failure.Kind.TERMINAL
            && highest(pass) instanceof Outcome.Done<Long>(Long highest)
            && highest >= epoch) {
          adopt(pass, o, highest);
        }
        yield Optional.empty();
      }
    };
  }

  private Result advance(Pass pass, Observed o, long epoch, String vm, @Nullable String key) {
    return switch (advance(pass, epoch, vm, key)) {
      case Outcome.Done<Advanced>(Advanced advanced) -> {
        LOG.info("{}: fenced at epoch {}", pass.ref(), epoch);
        Proven proven = proven(pass, epoch, advanced);
        pass.memory(memory -> memory.proven(proven));
        pass.status(status -> Retry.underWay(status, o.generation()));
        progress.reached(pass, TeamStep.FENCED);
        yield Result.go();
      }
      case Outcome.InProgress<Advanced>(Duration lookAgain, _) -> Result.park(lookAgain);
      case Outcome.Failed<Advanced>(Failure failure) ->
          failure.kind() == Failure.Kind.TERMINAL
                  && highest(pass) instanceof Outcome.Done<Long>(Long highest)
                  && highest >= epoch
              ? adopt(pass, o, highest)
              : backOff(pass, o, failure);
    };
  }

  private Outcome<Advanced> advance(Pass pass, long epoch, String vm, @Nullable String key) {
    return workspaces.advance(
        new AdvanceRequest(settings.workspace(pass.team()), epoch, vm, key, size(pass)),
        Deadline.in(settings.bounds().fence()));
  }

  private Outcome<Long> highest(Pass pass) {
    return workspaces.highestEpoch(
        settings.workspace(pass.team()), Deadline.in(settings.bounds().fence()));
  }

  private Result adopt(Pass pass, Observed o, long highest) {
    LOG.warn(
        "{}: epoch {} was refused, the file server has {}", pass.ref(), o.highestEpoch(), highest);
    pass.memory(memory -> memory.floor(Math.max(highest, o.highestEpoch())));
    return Result.go();
  }

  private Proven proven(Pass pass, long epoch, Advanced advanced) {
    stopEarlier(pass.ref(), epoch);
    return new Proven(epoch, advanced.mount(), advanced.quotaEnforced(), size(pass));
  }

  /**
   * The epoch is proven, so no earlier one can write any more, wherever it runs: each machine that
   * reports one is told. Status may have forgotten it, and then nothing else would tell. A machine
   * that is away is examined when it is back.
   */
  private void stopEarlier(TeamRef team, long epoch) {
    for (VmView vm : vms.in(team.namespace())) {
      agents.reports(vm.ref()).stream()
          .filter(report -> report.teamUid().equals(team.uid()) && report.epoch() < epoch)
          .forEach(report -> agents.stop(vm.ref(), team, report.epoch()));
    }
  }

  private static long size(Pass pass) {
    return Demand.bytes(pass.team().getSpec().workspace().size());
  }

  private Result backOff(Pass pass, Observed o, Failure failure) {
    LOG.warn("{}: {}: {}", pass.ref(), failure.reason(), failure.message());
    pass.status(status -> retry.failed(status, o.generation(), FIRST, MOST, clock.instant()));
    return Result.park(Retry.left(pass.status(), clock.instant()), failure);
  }

  private Optional<String> key(Observed o) {
    return o.machine() instanceof BoundVm.Known(VmView vm, _, _)
        ? agents.session(vm.ref()).map(Agents.Session::workspaceKey)
        : Optional.empty();
  }
}
