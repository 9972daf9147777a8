package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.EventRecorder;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.StepListener;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.route.Routes;
import dev.crowdlab.storage.Workspaces;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cleans up after a deleted team: no route, no run, no workspace. A machine that is dead holds up
 * nothing: what it still runs is stopped when it comes back, because its team is no more.
 */
final class Removal {

  private static final Logger LOG = LoggerFactory.getLogger(Removal.class);
  private static final Duration AGAIN = Duration.ofSeconds(2);

  private final Agents agents;
  private final Vms vms;
  private final Routes routes;
  private final Workspaces workspaces;
  private final Places places;
  private final EventRecorder events;
  private final StepListener steps;
  private final TeamSettings settings;

  Removal(
      Agents agents,
      Vms vms,
      Routes routes,
      Workspaces workspaces,
      Places places,
      EventRecorder events,
      StepListener steps,
      TeamSettings settings) {
    this.agents = agents;
    this.vms = vms;
    this.routes = routes;
    this.workspaces = workspaces;
    this.places = places;
    this.events = events;
    this.steps = steps;
    this.settings = settings;
  }

  /** Does what is left to do; over when nothing is, or when it is not waited for any longer. */
  Result remove(Pass pass, Observed o, NextStep.Remove remove) {
    if (pass.memory().stopOrdered() == null) {
      pass.memory(memory -> memory.stopping(o.now()));
    }
    List<String> left = new ArrayList<>();
    if (routes.remove(pass.ref()) instanceof Outcome.Failed<Void>(Outcome.Failure failure)) {
      left.add("the route (" + failure.message() + ")");
    }
    List<String> runs =
        bindings(o).stream()
            .filter(binding -> !hasStopped(pass, binding))
            .map(binding -> "what runs on " + binding.vm())
            .toList();
    boolean waits = !runs.isEmpty() && !remove.skip() && !o.removedFor(settings.bounds().stop());
    if (!waits && o.highestEpoch() > 0) {
      Optional<String> kept = retire(pass);
      kept.ifPresent(left::add);
    }
    // A run that was waited for long enough is fenced by the retirement: it holds up nothing.
    if (waits || (!left.isEmpty() && !remove.skip())) {
      return Result.park(AGAIN);
    }
    left.addAll(runs);
    if (!left.isEmpty()) {
      String what = String.join(", ", left);
      LOG.warn("{}: removed, but not cleaned: {}", pass.ref(), what);
      events.warning(pass.team(), Reason.CLEANUP_ABANDONED, "left behind: " + what);
    } else {
      LOG.info("{}: removed", pass.ref());
    }
    places.released(pass.ref());
    return new Result.Over();
  }

  /** The bound machine's, and those of earlier bindings that have not confirmed. */
  private static List<Binding> bindings(Observed o) {
    return Stream.concat(o.binding().stream(), o.status().superseded().stream()).toList();
  }

  /**
   * Whether the machine confirmed, or cannot be asked. One whose object has gone first, with its
   * namespace, is asked for as long as its agent is connected.
   */
  private boolean hasStopped(Pass pass, Binding binding) {
    String uid = binding.vmUid();
    if (uid == null) {
      return true;
    }
    VmRef vm = new VmRef(pass.ref().namespace(), binding.vm(), uid);
    boolean there =
        vms.get(vm.namespace(), vm.name()).filter(view -> view.ref().equals(vm)).isPresent();
    if ((!there && agents.session(vm).isEmpty()) || agents.health(vm) instanceof VmHealth.Lost) {
      return true;
    }
    return switch (agents.stop(vm, pass.ref(), binding.epoch())) {
      case Outcome.Done<Void> _ -> true;
      case Outcome.InProgress<Void> _, Outcome.Failed<Void> _ -> false;
    };
  }

  private Optional<String> retire(Pass pass) {
    Outcome<Void> outcome =
        workspaces.retire(
            settings.workspace(pass.team()),
            settings.retention(),
            Deadline.in(settings.bounds().fence()));
    return switch (outcome) {
      case Outcome.Done<Void> _ -> {
        steps.reached("team.retired", pass.ref());
        yield Optional.empty();
      }
      case Outcome.InProgress<Void> _ -> Optional.of("the workspace");
      case Outcome.Failed<Void>(Outcome.Failure failure) ->
          Optional.of("the workspace (" + failure.message() + ")");
    };
  }
}
