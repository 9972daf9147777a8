package dev.crowdlab.team;

import dev.crowdlab.protocol.ToAgent.Mount;
import dev.crowdlab.route.Routes.Target;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What this process has already done for a team. All of it may be lost at any moment: what it
 * spares is idempotent.
 *
 * @param proven the fence that was proven last
 * @param ordered the epoch that the machine was told to run; 0: none
 * @param stopped the epoch up to which the bound machine confirmed that nothing is left
 * @param stopOrdered since when the bound machine is to stop; null: it is not
 * @param routed where the route leads
 * @param floor the highest epoch the file server was found to have, when it refused ours
 * @param quietUntil when what is done beside the main path is tried again after it failed
 * @param stays whether this very pass found that the team would leave its machine in order, and has
 *     nowhere to go
 */
record Memory(
    @Nullable Proven proven,
    long ordered,
    long stopped,
    @Nullable Instant stopOrdered,
    @Nullable Routed routed,
    long floor,
    @Nullable Instant quietUntil,
    boolean stays) {

  static final Memory EMPTY = new Memory(null, 0, 0, null, null, 0, null, false);

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

  Memory proven(Proven value) {
    return new Memory(value, ordered, stopped, stopOrdered, routed, floor, quietUntil, stays);
  }

  Memory ordered(long epoch) {
    return new Memory(proven, epoch, stopped, stopOrdered, routed, floor, quietUntil, stays);
  }

  Memory stopped(long epoch) {
    return new Memory(proven, ordered, epoch, null, routed, floor, quietUntil, stays);
  }

  Memory stopOrdered(@Nullable Instant since) {
    return new Memory(proven, ordered, stopped, since, routed, floor, quietUntil, stays);
  }

  Memory routed(@Nullable Routed value) {
    return new Memory(proven, ordered, stopped, stopOrdered, value, floor, quietUntil, stays);
  }

  Memory floor(long epoch) {
    return new Memory(proven, ordered, stopped, stopOrdered, routed, epoch, quietUntil, stays);
  }

  Memory quietUntil(@Nullable Instant instant) {
    return new Memory(proven, ordered, stopped, stopOrdered, routed, floor, instant, stays);
  }

  Memory stays(boolean value) {
    return new Memory(proven, ordered, stopped, stopOrdered, routed, floor, quietUntil, value);
  }

  /** What is still true once another binding stands. */
  Memory rebound() {
    return new Memory(proven, 0, 0, null, routed, 0, null, false);
  }
}
