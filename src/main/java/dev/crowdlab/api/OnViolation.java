package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What a violation of the policy leads to. */
public enum OnViolation {
  /** Teams leave, nothing new comes, a person releases the machine. */
  @JsonProperty("Quarantine")
  QUARANTINE,
  /** The condition says so and nothing moves. */
  @JsonProperty("Report")
  REPORT;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
