package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.protocol.ToAgent.Mount;
import dev.crowdlab.route.Routes.Target;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What this process has already done for a team. All of it may be lost at any moment: what it
 * spares is idempotent. What was done for one binding says nothing of another, even of the same
 * epoch: a status that was rolled back leads to those.
 *
 * @param binding which binding, or rest, all but the route and the floor is about
 * @param proven the fence that was proven
 * @param ordered whether the machine was told to run
 * @param stopped whether the machine confirmed that nothing is left
 * @param stopOrdered since when the machine is to stop; null: it is not
 * @param routed where the route leads
 * @param floor the highest epoch that the file server is known to have had for another binding
 * @param quietUntil when what is done beside the main path is tried again after it failed
 * @param tried digest of the pull Secret's content at the last attempt to run; null: not known
 * @param stays whether this very pass found that the team serves, would leave its machine, and has
 *     nowhere to go
 */
record Memory(
    String binding,
    @Nullable Proven proven,
    boolean ordered,
    boolean stopped,
    @Nullable Instant stopOrdered,
    @Nullable Routed routed,
    long floor,
    @Nullable Instant quietUntil,
    @Nullable String tried,
    boolean stays) {

  static final Memory EMPTY = new Memory("", null, false, false, null, null, 0, null, null, false);

  /**
   * A fence that was proven.
   *
   * @param mount what the machine needs; null when the workspace is at rest
   * @param quota whether the size is enforced
   * @param sizeBytes the size that was asked for
   */
  record Proven(long epoch, @Nullable Mount mount, boolean quota, long sizeBytes) {}

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
    return new Memory(present, null, false, false, null, routed, highest, null, null, false);
  }

  private static String name(LabTeamStatus status) {
    Binding binding = status.binding();
    return binding == null
        ? "rest " + status.highestEpoch()
        : binding.epoch() + " on " + binding.vmUid() + " since " + binding.since();
  }

  Memory proven(Proven value) {
    return new Memory(
        binding, value, ordered, stopped, stopOrdered, routed, floor, quietUntil, tried, stays);
  }

  /** The machine was told to run: whatever it had stopped before. */
  Memory running() {
    return new Memory(binding, proven, true, false, null, routed, floor, quietUntil, tried, stays);
  }

  Memory stopping(Instant since) {
    return new Memory(
        binding, proven, ordered, stopped, since, routed, floor, quietUntil, tried, stays);
  }

  Memory gone() {
    return new Memory(binding, proven, false, true, null, routed, floor, quietUntil, tried, stays);
  }

  Memory routed(@Nullable Routed value) {
    return new Memory(
        binding, proven, ordered, stopped, stopOrdered, value, floor, quietUntil, tried, stays);
  }

  Memory floor(long epoch) {
    return new Memory(
        binding, proven, ordered, stopped, stopOrdered, routed, epoch, quietUntil, tried, stays);
  }

  Memory quietUntil(@Nullable Instant instant) {
    return new Memory(
        binding, proven, ordered, stopped, stopOrdered, routed, floor, instant, tried, stays);
  }

  Memory tried(String digest) {
    return new Memory(
        binding, proven, ordered, stopped, stopOrdered, routed, floor, quietUntil, digest, stays);
  }

  Memory stays(boolean value) {
    return new Memory(
        binding, proven, ordered, stopped, stopOrdered, routed, floor, quietUntil, tried, value);
  }
}
