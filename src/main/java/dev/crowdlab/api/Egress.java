package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Where a team's containers may connect to, besides each other. */
public enum Egress {
  /** Nowhere. */
  @JsonProperty("None")
  NONE,
  /** Public addresses only. */
  @JsonProperty("Internet")
  INTERNET;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
