package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** When a write to a workspace returns to the program that made it. */
public enum Writes {
  /** At once: what close or fsync returned for is saved. */
  @JsonProperty("Asynchronous")
  ASYNCHRONOUS,
  /** When the file server has it: every write that returned is saved. */
  @JsonProperty("Synchronous")
  SYNCHRONOUS;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
