package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Who starts a recovery. */
public enum RecoveryPolicy {
  /** The operator, as soon as a fault is established. */
  @JsonProperty("Automatic")
  AUTOMATIC,
  /** A person, with the rebind annotation. */
  @JsonProperty("Manual")
  MANUAL;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
