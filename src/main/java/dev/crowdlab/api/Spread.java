package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What a team's machine is chosen by when several would do. */
public enum Spread {
  /** Teams are spread over contributors, then over machines. */
  @JsonProperty("Contributor")
  CONTRIBUTOR,
  /** Machines are filled one after the other. */
  @JsonProperty("None")
  NONE;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
