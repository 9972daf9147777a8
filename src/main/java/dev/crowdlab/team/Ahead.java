package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the machine that a planned move leads to make all that needs no fence while the old run still
 * serves: its images are pulled there and its containers made.
 */
final class Ahead {

  private static final Logger LOG = LoggerFactory.getLogger(Ahead.class);

  /** How often a machine may try; then the move leads to another one. */
  private static final int TRIES = 2;

  private static final Duration TRY_AGAIN = Duration.ofSeconds(1);

  private final Agents agents;
  private final PullSecrets secrets;
  private final RunOrder orders;
  private final Images images;
  private final Duration bound;

  /**
   * Has it made by these agents.
   *
   * @param bound how long a machine may take, its images included
   */
  Ahead(Agents agents, PullSecrets secrets, RunOrder orders, Images images, Duration bound) {
    this.agents = agents;
    this.secrets = secrets;
    this.orders = orders;
    this.images = images;
    this.bound = bound;
  }

  /** How it stands. */
  sealed interface Standing {

    /** It is made. */
    record Made() implements Standing {}

    /** It is being made. */
    record Waits(Duration lookAgain) implements Standing {}

    /** The machine cannot make it, or not in time. */
    record Failed(String why) implements Standing {}

    /** No machine could make it now: the team's pull Secret is at fault. */
    record Blocked(Failure why) implements Standing {}
  }

  /** Asks the machine for it, and tells how it stands. */
  Standing at(Pass pass, Observed o, Reservations.Reserved place, long epoch) {
    VmRef vm = place.vm().ref();
    Memory.Ahead asked = pass.memory().ahead();
    if (asked == null || !asked.isFor(vm, epoch)) {
      dismiss(pass);
      asked = new Memory.Ahead(vm, epoch, o.now(), 1);
      remember(pass, asked);
      LOG.info("{}: to be made ahead on {}, epoch {}", pass.ref(), vm.name(), epoch);
    }
    return switch (secrets.of(pass.team())) {
      case Outcome.Done<Optional<RegistryAuth>>(Optional<RegistryAuth> auth) ->
          standing(pass, o, asked, agents.prepare(vm, order(pass, o, place, epoch, auth)));
      case Outcome.InProgress<Optional<RegistryAuth>>(Duration again, _) ->
          waits(pass, o, asked, again);
      case Outcome.Failed<Optional<RegistryAuth>>(Failure why) -> new Standing.Blocked(why);
    };
  }

  private Standing standing(Pass pass, Observed o, Memory.Ahead asked, Outcome<Void> outcome) {
    return switch (outcome) {
      case Outcome.Done<Void> _ -> new Standing.Made();
      case Outcome.InProgress<Void>(Duration again, _) -> waits(pass, o, asked, again);
      case Outcome.Failed<Void>(Failure why) when asked.tries() >= TRIES ->
          new Standing.Failed(why.message());
      case Outcome.Failed<Void> _ -> {
        remember(pass, asked.again());
        yield waits(pass, o, asked, TRY_AGAIN);
      }
    };
  }

  private Standing waits(Pass pass, Observed o, Memory.Ahead asked, Duration again) {
    Duration left = Duration.between(o.now(), asked.since().plus(bound));
    if (!left.isPositive()) {
      // What it has pulled so far is not lost: the next time it is there.
      images.prepare(pass, asked.vm());
      return new Standing.Failed("it was not ready within " + bound.toSeconds() + " s");
    }
    return new Standing.Waits(left.compareTo(again) < 0 ? left : again);
  }

  private static void remember(Pass pass, Memory.Ahead asked) {
    pass.memory(memory -> memory.ahead(asked));
  }

  private ToAgent.Prepare order(
      Pass pass, Observed o, Reservations.Reserved place, long epoch, Optional<RegistryAuth> auth) {
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
    return ToAgent.Prepare.of(orders.of(pass.team(), planned, null, place.vm(), auth.orElse(null)));
  }

  /** The team does not go there, for now: what was made is taken away. */
  void dismiss(Pass pass) {
    Memory.Ahead asked = pass.memory().ahead();
    if (asked != null) {
      LOG.info("{}: not wanted on {}", pass.ref(), asked.vm().name());
      agents.stop(asked.vm(), pass.ref(), asked.epoch());
      pass.memory(memory -> memory.ahead(null));
    }
  }
}
