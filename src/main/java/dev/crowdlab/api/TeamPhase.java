package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Where a LabTeam stands; derived from its conditions, for people to read. */
public enum TeamPhase {
  /** No machine chosen yet. */
  @JsonProperty("Pending")
  PENDING,
  /** On its way to Ready for the first time, or after a restart that was asked for. */
  @JsonProperty("Creating")
  CREATING,
  /** The exercise answers at its URL. */
  @JsonProperty("Ready")
  READY,
  /** Moving to another machine after a fault. */
  @JsonProperty("Recovering")
  RECOVERING,
  /** Stopped because the spec asks, or because it expired; the workspace is kept. */
  @JsonProperty("Suspended")
  SUSPENDED,
  /** A person must act; the conditions say how. */
  @JsonProperty("Stalled")
  STALLED,
  /** Being removed. */
  @JsonProperty("Terminating")
  TERMINATING;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
