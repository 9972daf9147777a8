package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The timed steps of a creation or a recovery, in their order. */
public enum TeamStep {
  /** A team was first seen, or a fault was established. */
  @JsonProperty("Detected")
  DETECTED,
  /** A machine was chosen and the binding written. */
  @JsonProperty("Chosen")
  CHOSEN,
  /** The file server advanced to the epoch. */
  @JsonProperty("Fenced")
  FENCED,
  /** The workspace is mounted on the machine. */
  @JsonProperty("Attached")
  ATTACHED,
  /** The exercise runs and is healthy. */
  @JsonProperty("Started")
  STARTED,
  /** Students' connections go to the machine. */
  @JsonProperty("Routed")
  ROUTED;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
