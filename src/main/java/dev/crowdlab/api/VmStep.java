package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The timed steps of a ContributedVM's life. */
public enum VmStep {
  /** From the first dial to an authenticated SSH connection. */
  @JsonProperty("Connect")
  CONNECT,
  /** The probe and the verdict. */
  @JsonProperty("Verify")
  VERIFY,
  /** Installing the agent and what it needs. */
  @JsonProperty("Configure")
  CONFIGURE,
  /** From the agent's start to its session in the hub. */
  @JsonProperty("Enrol")
  ENROL,
  /** From the request to the last team's leaving. */
  @JsonProperty("Drain")
  DRAIN,
  /** Removing what we installed. */
  @JsonProperty("Clean")
  CLEAN;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
