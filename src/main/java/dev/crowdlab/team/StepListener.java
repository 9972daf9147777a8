package dev.crowdlab.team;

import dev.crowdlab.core.TeamRef;

/**
 * Hears of each boundary between two steps, right after the first one's effect is there and before
 * anything else happens. For metrics; and tests let the operator die here.
 */
@FunctionalInterface
public interface StepListener {

  /** Hears nothing. */
  StepListener NONE = (step, team) -> {};

  /**
   * A boundary was reached.
   *
   * @param step one of {@code team.chosen}, {@code team.stopped}, {@code team.bound}, {@code
   *     team.fenced}, {@code team.attached}, {@code team.started}, {@code team.routed}, {@code
   *     team.ready}, {@code team.unbound}, {@code team.retired}
   */
  void reached(String step, TeamRef team);
}
