package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Why a team left its machine or was restarted under a new epoch. */
public enum RecoveryCause {
  /** Neither the agent nor sshd answered: its power failed, or the network between. */
  @JsonProperty("VmLost")
  VM_LOST,
  /** Its kernel took connections, and nothing else on it answered. */
  @JsonProperty("VmHung")
  VM_HUNG,
  /** Its machine answered, and its agent was gone for too long, whatever was done to start it. */
  @JsonProperty("AgentLost")
  AGENT_LOST,
  /** The same, and the agent hung before. */
  @JsonProperty("AgentHung")
  AGENT_HUNG,
  /** The machine violated its policy. */
  @JsonProperty("VmQuarantined")
  VM_QUARANTINED,
  /** The machine was asked to drain. */
  @JsonProperty("VmDrained")
  VM_DRAINED,
  /** The ContributedVM was deleted. */
  @JsonProperty("VmDeleted")
  VM_DELETED,
  /** The rebind annotation asked for it. */
  @JsonProperty("Requested")
  REQUESTED,
  /** The exercise was edited. */
  @JsonProperty("SpecChanged")
  SPEC_CHANGED,
  /** The exercise could not be kept running there. */
  @JsonProperty("ExerciseFailed")
  EXERCISE_FAILED,
  /**
   * Its machine's connection to the file server broke: it is started anew there, under an epoch of
   * its own.
   */
  @JsonProperty("MountLost")
  MOUNT_LOST;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
