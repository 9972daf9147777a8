package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the machine that a planned move leads to make ahead all that needs no fence: its images are
 * pulled and its containers made while the old run still serves.
 */
final class Ahead {

  private static final Logger LOG = LoggerFactory.getLogger(Ahead.class);

  private final Agents agents;
  private final PullSecrets secrets;
  private final RunOrder orders;
  private final Duration bound;

  /**
   * @param bound how long a move waits for it; then it goes on without
   */
  Ahead(Agents agents, PullSecrets secrets, RunOrder orders, Duration bound) {
    this.agents = agents;
    this.secrets = secrets;
    this.orders = orders;
    this.bound = bound;
  }

  /** How it stands. */
  sealed interface Standing {

    /** It is made, or was waited for long enough. */
    record Ready() implements Standing {}

    /** It is being made. */
    record Waits(Duration lookAgain) implements Standing {}

    /** The machine cannot run the team, as it seems. */
    record Failed(Failure why) implements Standing {}
  }

  /** Asks for it, and tells how it stands. */
  Standing at(Pass pass, Observed o, Reservations.Reserved place, long epoch) {
    VmRef vm = place.vm().ref();
    Memory.Ahead asked = pass.memory().ahead();
    if (asked == null || !asked.vm().equals(vm) || asked.epoch() != epoch) {
      dismiss(pass);
      asked = new Memory.Ahead(vm, epoch, o.now());
      Memory.Ahead remembered = asked;
      pass.memory(memory -> memory.ahead(remembered));
      LOG.info("{}: to be made ahead on {}, epoch {}", pass.ref(), vm.name(), epoch);
    }
    Instant until = asked.since().plus(bound);
    return switch (secrets.of(pass.team())) {
      case Outcome.Done<Optional<RegistryAuth>>(Optional<RegistryAuth> auth) ->
          standing(o, until, agents.ahead(vm, order(pass, o, place, epoch, auth)));
      case Outcome.InProgress<Optional<RegistryAuth>>(Duration again, _) -> waits(o, until, again);
      case Outcome.Failed<Optional<RegistryAuth>>(Failure why) -> new Standing.Failed(why);
    };
  }

  private static Standing standing(Observed o, Instant until, Outcome<Void> outcome) {
    return switch (outcome) {
      case Outcome.Done<Void> _ -> new Standing.Ready();
      case Outcome.InProgress<Void>(Duration again, _) -> waits(o, until, again);
      case Outcome.Failed<Void>(Failure why) -> new Standing.Failed(why);
    };
  }

  private static Standing waits(Observed o, Instant until, Duration again) {
    Duration left = Duration.between(o.now(), until);
    if (!left.isPositive()) {
      return new Standing.Ready();
    }
    return new Standing.Waits(left.compareTo(again) < 0 ? left : again);
  }

  private ToAgent.Ahead order(
      Pass pass,
      Observed o,
      Reservations.Reserved place,
      long epoch,
      Optional<RegistryAuth> auth) {
    VmRef vm = place.vm().ref();
    Binding planned =
        new Binding(
            vm.name(),
            vm.uid(),
            epoch,
            null,
            place.vm().address(),
            place.port(),
            o.generation(),
            o.digest());
    return new ToAgent.Ahead(
        orders.of(pass.team(), planned, null, place.vm(), auth.orElse(null)));
  }

  /** The team does not go there: what was made ahead is taken away. */
  void dismiss(Pass pass) {
    Memory.Ahead asked = pass.memory().ahead();
    if (asked != null) {
      LOG.info("{}: not needed on {}", pass.ref(), asked.vm().name());
      agents.stop(asked.vm(), pass.ref(), asked.epoch());
      pass.memory(memory -> memory.ahead(null));
    }
  }
}
