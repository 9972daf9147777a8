package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What a contributor can ask for on their own machine. */
public enum Wish {
  /** Its teams move away and nothing new comes, until it is resumed. */
  @JsonProperty("Pause")
  PAUSE,
  /** Its teams move away, and everything of ours is removed from it. */
  @JsonProperty("Leave")
  LEAVE,
  /**
   * The agent or the machine is stopped in order: its teams move away until it is started again.
   */
  @JsonProperty("Stop")
  STOP;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
