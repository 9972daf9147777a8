package dev.crowdlab.team;

import dev.crowdlab.api.Backoff;
import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.TeamStep;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.route.Routes;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets a team's route lead to its exercise. */
final class RouteStep {

  private static final Logger LOG = LoggerFactory.getLogger(RouteStep.class);
  private static final Duration FIRST = Duration.ofMillis(500);
  private static final Duration MOST = Duration.ofSeconds(10);

  private final Routes routes;
  private final boolean sourcesConfigured;
  private final Diversions diversions;
  private final Retry retry;
  private final Progress progress;
  private final InstantSource clock;

  RouteStep(
      Routes routes,
      boolean sourcesConfigured,
      Diversions diversions,
      Retry retry,
      Progress progress,
      InstantSource clock) {
    this.routes = routes;
    this.sourcesConfigured = sourcesConfigured;
    this.diversions = diversions;
    this.retry = retry;
    this.progress = progress;
    this.clock = clock;
  }

  /** Points the route at the exercise, after what was to lead to the waiting room has ended. */
  Result route(Pass pass, Observed o, Routes.Target.Exercise target) {
    if (!diversions.settle(pass)) {
      return Result.park(Duration.ofSeconds(1));
    }
    // The exercise is healthy, whether or not a pass was there to see it become so.
    progress.reached(pass, TeamStep.ATTACHED);
    progress.reached(pass, TeamStep.STARTED);
    return switch (point(pass, target)) {
      case Outcome.Done<Routes.Route>(Routes.Route route) -> {
        LOG.info("{}: routed to {}:{}", pass.ref(), target.address(), target.port());
        pass.memory(
            memory -> memory.routed(new Memory.Routed(target, o.generation(), route.url())));
        pass.status(
            status ->
                Retry.underWay(status, o.generation()).toBuilder()
                    .url(route.url())
                    .binding(at(status.binding(), target.address()))
                    .build());
        progress.reached(pass, TeamStep.ROUTED);
        yield Result.go();
      }
      case Outcome.InProgress<Routes.Route>(Duration lookAgain, _) -> Result.park(lookAgain);
      case Outcome.Failed<Routes.Route>(Outcome.Failure failure) -> {
        LOG.warn("{}: not routed: {}: {}", pass.ref(), failure.reason(), failure.message());
        pass.status(
            status ->
                withdrawn(
                    retry.failed(status, o.generation(), FIRST, MOST, clock.instant()), failure));
        yield Result.park(Retry.left(pass.status(), clock.instant()), failure);
      }
    };
  }

  /** Without sources a machine lets nobody in: a route there would lead nowhere. */
  private Outcome<Routes.Route> point(Pass pass, Routes.Target.Exercise target) {
    return sourcesConfigured
        ? routes.point(pass.team(), target)
        : Outcome.refused(
            Reason.SOURCES_NOT_CONFIGURED,
            "route.sources of the operator's configuration is empty: list the addresses of the"
                + " ingress as a machine sees them");
  }

  /**
   * A team whose host is another's has no route any more, and so no URL: a URL in status is a claim
   * on its host, and one of old must not win the host back later.
   */
  static LabTeamStatus withdrawn(LabTeamStatus status, Outcome.Failure failure) {
    return failure.reason() == Reason.HOST_TAKEN ? status.toBuilder().url(null).build() : status;
  }

  /** Everything is as it should be: what was open ends. */
  Result confirm(Pass pass, Observed o) {
    String vm = o.binding().map(Binding::vm).orElse(null);
    pass.status(status -> Timeline.ready(status, vm, clock.instant()));
    return Result.go();
  }

  /**
   * Forgets the attempts of a team that has been well for long enough.
   *
   * @return when to look again for this
   */
  static Optional<Duration> forgetAttempts(Pass pass, Observed o, Duration wellFor) {
    Backoff backoff = pass.status().backoff();
    if (backoff == null) {
      return Optional.empty();
    }
    Duration left =
        o.readySince().map(since -> Duration.between(o.now(), since.plus(wellFor))).orElse(wellFor);
    if (left.isPositive()) {
      return Optional.of(left);
    }
    pass.status(status -> status.toBuilder().backoff(null).build());
    return Optional.empty();
  }

  private static @Nullable Binding at(@Nullable Binding binding, String address) {
    return binding == null || address.equals(binding.address())
        ? binding
        : new Binding(
            binding.vm(),
            binding.vmUid(),
            binding.epoch(),
            binding.since(),
            address,
            binding.port(),
            binding.generation(),
            binding.exerciseDigest());
  }
}
