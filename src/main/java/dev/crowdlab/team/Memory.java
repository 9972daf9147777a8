package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.ToAgent.Mount;
import dev.crowdlab.route.Routes.Target;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What this process has already done for a team. All of it may be lost at any moment: what it
 * spares is idempotent. What was done for one binding says nothing of another, even of the same
 * epoch: a status that was rolled back leads to those.
 *
 * @param binding which binding, or rest, all but the route and the floor is about
 * @param proven the fence that was proven
 * @param ordered whether the machine was told to run
 * @param leaving how far the team is with leaving its machine in order
 * @param routed where the route leads
 * @param floor the highest epoch that the file server is known to have had for another binding
 * @param quietUntil when what is done beside the main path is tried again after it failed
 * @param tried digest of the pull Secret's content at the last attempt to run; null: not known
 * @param stays whether this very pass found that the team serves, would leave its machine, and has
 *     nowhere to go, or cannot be run anywhere else now
 */
record Memory(
    String binding,
    @Nullable Proven proven,
    boolean ordered,
    Leaving leaving,
    @Nullable Routed routed,
    long floor,
    @Nullable Instant quietUntil,
    @Nullable String tried,
    boolean stays) {

  static final Memory EMPTY = new Memory("", null, false, Leaving.NOT, null, 0, null, null, false);

  /**
   * A fence that was proven.
   *
   * @param mount what the machine needs; null when the workspace is at rest
   * @param quota whether the size is enforced
   * @param sizeBytes the size that was asked for
   */
  record Proven(long epoch, @Nullable Mount mount, boolean quota, long sizeBytes) {}

  /**
   * How far a team is with leaving its machine in order.
   *
   * @param ahead what its next machine is to make ahead; null: none is asked
   * @param shunned machines that could not make it, by UID, and until when they are not asked again
   * @param diverted since when its students are sent to the waiting room; null: they are not
   * @param stopOrdered since when the old machine is to stop; null: it is not
   * @param stopped whether that one confirmed that all that was written is saved
   * @param gone whether it confirmed that nothing is left
   */
  record Leaving(
      @Nullable Ahead ahead,
      Map<String, Instant> shunned,
      @Nullable Instant diverted,
      @Nullable Instant stopOrdered,
      boolean stopped,
      boolean gone) {

    static final Leaving NOT = new Leaving(null, Map.of(), null, null, false, false);

    Leaving {
      shunned = Map.copyOf(shunned);
    }

    /** Null also takes back that students are diverted, unless it is too late for that. */
    Leaving ahead(@Nullable Ahead value) {
      Instant since = value == null && stopOrdered == null ? null : diverted;
      return new Leaving(value, shunned, since, stopOrdered, stopped, gone);
    }

    Leaving shunned(Map<String, Instant> value) {
      return new Leaving(ahead, value, diverted, stopOrdered, stopped, gone);
    }

    Leaving diverted(Instant since) {
      return new Leaving(ahead, shunned, since, stopOrdered, stopped, gone);
    }

    Leaving stopping(Instant since) {
      return new Leaving(ahead, shunned, diverted, since, stopped, gone);
    }

    Leaving stopped(boolean nothingIsLeft) {
      return new Leaving(ahead, shunned, diverted, null, true, nothingIsLeft);
    }
  }

  /** What a machine is to make ahead, since when, and how often it was told. */
  record Ahead(VmRef vm, long epoch, Instant since, int tries) {

    boolean isFor(VmRef otherVm, long otherEpoch) {
      return vm.equals(otherVm) && epoch == otherEpoch;
    }

    Ahead again() {
      return new Ahead(vm, epoch, since, tries + 1);
    }
  }

  /** A route that stands, for this generation of the spec. */
  record Routed(Target target, long generation, String url) {}

  /** Whether this is about the binding that a status has, or about none yet. */
  boolean isAbout(LabTeamStatus status) {
    return binding.isEmpty() || binding.equals(name(status));
  }

  /** What of this holds for the binding that a status has, which was read live. */
  Memory of(LabTeamStatus status) {
    String present = name(status);
    if (present.equals(binding)) {
      return this;
    }
    long highest = Math.max(floor, proven == null ? 0 : proven.epoch());
    return new Memory(present, null, false, Leaving.NOT, routed, highest, null, null, false);
  }

  private static String name(LabTeamStatus status) {
    Binding binding = status.binding();
    return binding == null
        ? "rest " + status.highestEpoch()
        : binding.epoch() + " on " + binding.vmUid() + " since " + binding.since();
  }

  @Nullable Ahead ahead() {
    return leaving.ahead();
  }

  /** The UIDs of the machines that are not asked to make it ahead now. */
  Set<String> shunned(Instant now) {
    return leaving.shunned().entrySet().stream()
        .filter(entry -> now.isBefore(entry.getValue()))
        .map(Map.Entry::getKey)
        .collect(Collectors.toUnmodifiableSet());
  }

  @Nullable Instant diverted() {
    return leaving.diverted();
  }

  @Nullable Instant stopOrdered() {
    return leaving.stopOrdered();
  }

  boolean stopped() {
    return leaving.stopped();
  }

  boolean isGone() {
    return leaving.gone();
  }

  Memory proven(Proven value) {
    return new Memory(binding, value, ordered, leaving, routed, floor, quietUntil, tried, stays);
  }

  /** The machine was told to run: whatever it had stopped before. */
  Memory running() {
    return new Memory(binding, proven, true, Leaving.NOT, routed, floor, quietUntil, tried, stays);
  }

  Memory ahead(@Nullable Ahead value) {
    return leaving(ordered, leaving.ahead(value));
  }

  /** This machine could not make it ahead; those whose time is over are forgotten. */
  Memory shunning(String vmUid, Instant until, Instant now) {
    Map<String, Instant> shunned = new HashMap<>(leaving.shunned());
    shunned.values().removeIf(over -> !now.isBefore(over));
    shunned.put(vmUid, until);
    return leaving(ordered, leaving.shunned(shunned));
  }

  /** Each machine may be asked again. */
  Memory shunningNone() {
    return leaving(ordered, leaving.shunned(Map.of()));
  }

  Memory diverted(Instant since) {
    return leaving(ordered, leaving.diverted(since));
  }

  Memory stopping(Instant since) {
    return leaving(ordered, leaving.stopping(since));
  }

  /** All that it wrote is saved; what is left of it is being removed. */
  Memory saved() {
    return leaving(false, leaving.stopped(false));
  }

  /** Nothing of it is left. */
  Memory gone() {
    return leaving(false, leaving.stopped(true));
  }

  private Memory leaving(boolean isOrdered, Leaving value) {
    return new Memory(binding, proven, isOrdered, value, routed, floor, quietUntil, tried, stays);
  }

  Memory routed(@Nullable Routed value) {
    return new Memory(binding, proven, ordered, leaving, value, floor, quietUntil, tried, stays);
  }

  Memory floor(long epoch) {
    return new Memory(binding, proven, ordered, leaving, routed, epoch, quietUntil, tried, stays);
  }

  Memory quietUntil(@Nullable Instant instant) {
    return new Memory(binding, proven, ordered, leaving, routed, floor, instant, tried, stays);
  }

  Memory tried(String digest) {
    return new Memory(binding, proven, ordered, leaving, routed, floor, quietUntil, digest, stays);
  }

  Memory stays(boolean value) {
    return new Memory(binding, proven, ordered, leaving, routed, floor, quietUntil, tried, value);
  }
}
