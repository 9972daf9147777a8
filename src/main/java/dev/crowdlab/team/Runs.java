package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.TeamStep;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import dev.crowdlab.team.Memory.Proven;
import dev.crowdlab.team.Observed.BoundVm;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has the bound machine run the exercise. */
final class Runs {

  private static final Logger LOG = LoggerFactory.getLogger(Runs.class);
  private static final Duration SECRET_FIRST = Duration.ofSeconds(1);
  private static final Duration SECRET_MOST = Duration.ofSeconds(5);
  private static final Duration FAILED_FIRST = Duration.ofSeconds(5);
  private static final Duration FAILED_MOST = Duration.ofMinutes(5);

  private final Agents agents;
  private final PullSecrets secrets;
  private final RunOrder orders;
  private final Corrections corrections;
  private final Retry retry;
  private final Progress progress;
  private final InstantSource clock;

  Runs(
      Agents agents,
      PullSecrets secrets,
      RunOrder orders,
      Corrections corrections,
      Retry retry,
      Progress progress,
      InstantSource clock) {
    this.agents = agents;
    this.secrets = secrets;
    this.orders = orders;
    this.corrections = corrections;
    this.retry = retry;
    this.progress = progress;
    this.clock = clock;
  }

  /** Orders the run; goes on when the exercise is healthy, or has failed. */
  Result run(Pass pass, Observed o, Proven proven) {
    Binding binding = o.binding().orElseThrow();
    if (!(o.machine() instanceof BoundVm.Known(VmView vm, _, _))) {
      return Result.go();
    }
    Optional<RegistryAuth> auth;
    Outcome<Optional<RegistryAuth>> secret = secrets.of(pass.team());
    pass.memory(memory -> memory.tried(Corrections.digest(secret)));
    switch (secret) {
      case Outcome.Done<Optional<RegistryAuth>>(Optional<RegistryAuth> found) -> auth = found;
      case Outcome.InProgress<Optional<RegistryAuth>>(Duration lookAgain, _) -> {
        return Result.park(lookAgain);
      }
      case Outcome.Failed<Optional<RegistryAuth>>(Outcome.Failure failure) -> {
        pass.status(
            status ->
                retry.failed(status, o.generation(), SECRET_FIRST, SECRET_MOST, clock.instant()));
        return Result.park(Retry.left(pass.status(), clock.instant()), failure);
      }
    }
    ToAgent.Run order = orders.of(pass.team(), binding, proven.mount(), vm, auth.orElse(null));
    if (!pass.memory().ordered()) {
      LOG.info("{}: starting on {}, epoch {}", pass.ref(), binding.vm(), binding.epoch());
    }
    Outcome<TeamReport> outcome = agents.run(vm.ref(), order);
    pass.memory(Memory::running);
    attached(pass, o, vm.ref());
    return switch (outcome) {
      case Outcome.Done<TeamReport> _ -> {
        progress.reached(pass, TeamStep.STARTED);
        yield Result.go();
      }
      case Outcome.InProgress<TeamReport>(Duration lookAgain, _) -> Result.park(lookAgain);
      case Outcome.Failed<TeamReport>(Outcome.Failure failure) -> failed(pass, o, vm, failure);
    };
  }

  /**
   * Has the machine make, while the file server is being advanced, all that needs no fence. Best
   * effort: what fails here is tried again when the exercise is started. The Secret for its images
   * is not read for this, as the fence would wait for that; without it, images that are not there
   * and not public come with the run.
   */
  void makeAhead(Pass pass, Observed o) {
    Binding binding = o.binding().orElseThrow();
    if (o.machine() instanceof BoundVm.Known(VmView vm, _, _)) {
      agents.prepare(vm.ref(), ToAgent.Prepare.of(orders.of(pass.team(), binding, null, vm, null)));
    }
  }

  /** Orders, beside the main path, what another process has had started: the agent has it. */
  void register(Pass pass, Observed o, Proven proven) {
    Binding binding = o.binding().orElseThrow();
    if (o.machine() instanceof BoundVm.Known(VmView vm, _, _)
        && secrets.of(pass.team())
            instanceof Outcome.Done<Optional<RegistryAuth>>(Optional<RegistryAuth> auth)) {
      agents.run(vm.ref(), orders.of(pass.team(), binding, proven.mount(), vm, auth.orElse(null)));
      pass.memory(memory -> memory.proven(proven).running());
    }
  }

  /** A run failed by itself: when it is tried again, the first time at once if elsewhere helps. */
  Result countFailure(Pass pass, Observed o, NextStep.CountFailure failure) {
    Duration first =
        switch (failure.code()) {
          case EPOCH_REFUSED,
              PORT_IN_USE,
              MOUNT_FAILED,
              MOUNT_LOST,
              CAPACITY_EXCEEDED,
              HOST_UNFIT ->
              Duration.ofMillis(100);
          case IMAGE_MISSING, CONTAINER_EXITED, CONTAINER_REFUSED, WORKSPACE_FULL, INTERNAL ->
              FAILED_FIRST;
        };
    LOG.info("{}: the run failed: {}", pass.ref(), failure.code());
    // A Secret that was corrected while the image was still being pulled with what it said before.
    boolean corrected =
        failure.code() == RunFailure.IMAGE_MISSING && corrections.isSecretOther(pass);
    pass.status(
        status ->
            corrected
                ? Retry.atOnce(status, o.generation(), clock.instant())
                : retry.failed(status, o.generation(), first, FAILED_MOST, clock.instant()));
    return Result.go();
  }

  private Result failed(Pass pass, Observed o, VmView vm, Outcome.Failure failure) {
    boolean reported =
        agents
            .report(vm.ref(), pass.ref())
            .filter(report -> report.state() == TeamReport.State.FAILED)
            .filter(report -> report.epoch() == o.binding().orElseThrow().epoch())
            .isPresent();
    if (reported) {
      return Result.go();
    }
    return switch (failure.reason()) {
      case AGENT_NOT_CONNECTED, IDENTITY_CONFLICT -> Result.park(Duration.ofSeconds(5));
      // Another pass ordered a later epoch: status will show it.
      case FENCING -> Result.park(Duration.ofSeconds(1));
      default -> {
        pass.status(
            status ->
                retry.failed(status, o.generation(), FAILED_FIRST, FAILED_MOST, clock.instant()));
        yield Result.park(Retry.left(pass.status(), clock.instant()), failure);
      }
    };
  }

  private void attached(Pass pass, Observed o, VmRef vm) {
    agents
        .report(vm, pass.ref())
        .filter(report -> report.epoch() == o.binding().orElseThrow().epoch())
        .filter(StatusFactory::isAttached)
        .ifPresent(report -> progress.reached(pass, TeamStep.ATTACHED));
  }
}
