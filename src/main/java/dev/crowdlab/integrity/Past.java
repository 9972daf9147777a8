package dev.crowdlab.integrity;

/** What is known of a machine from before. */
public sealed interface Past {

  /** Nothing: it was never accepted. */
  record Nothing() implements Past {}

  /** A person ended its quarantine: the state that it is in now is accepted. */
  record Released() implements Past {}

  /** It was accepted with this baseline. */
  record Known(Baseline baseline) implements Past {}

  /**
   * It was accepted, but the baseline is gone or is not the one that its status names: nobody can
   * tell what changed.
   */
  record Lost() implements Past {}
}
