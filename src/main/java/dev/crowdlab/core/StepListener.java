package dev.crowdlab.core;

/**
 * Hears of each boundary between two steps, right after the first one's effect is there and before
 * anything else happens. For metrics; and tests let the operator die here.
 */
@FunctionalInterface
public interface StepListener {

  /** Hears nothing. */
  StepListener NONE = (step, of) -> {};

  /**
   * A boundary was reached.
   *
   * @param step of a team one of {@code team.chosen}, {@code team.stopped}, {@code team.bound},
   *     {@code team.fenced}, {@code team.attached}, {@code team.started}, {@code team.routed},
   *     {@code team.ready}, {@code team.unbound}, {@code team.retired}; of a machine one of {@code
   *     vm.connected}, {@code vm.verified}, {@code vm.admitted} (a token was made for it), {@code
   *     vm.configured}, {@code vm.enrolled}, {@code vm.drained}, {@code vm.cleaned}, {@code
   *     vm.released}, {@code vm.forgotten}
   */
  void reached(String step, ObjectRef of);
}
