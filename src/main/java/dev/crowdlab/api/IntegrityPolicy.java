package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How strictly a machine is judged; an installation's floor may raise it. */
public enum IntegrityPolicy {
  /** Findings that show tampering are violations, the others are reported. */
  @JsonProperty("Standard")
  STANDARD,
  /** Every finding is a violation. */
  @JsonProperty("Strict")
  STRICT;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
