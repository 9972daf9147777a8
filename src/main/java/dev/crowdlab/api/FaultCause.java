package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What was wrong with a machine or its agent. */
public enum FaultCause {
  /** Neither the agent nor sshd answers; whether by power or by network shows when it is back. */
  @JsonProperty("VmLost")
  VM_LOST,
  /** Neither answered, and the machine was started anew before it came back. */
  @JsonProperty("PowerCut")
  POWER_CUT,
  /** Neither answered, and the machine had been running all the time. */
  @JsonProperty("Partition")
  PARTITION,
  /** Its kernel took connections, and nothing else on it answered. */
  @JsonProperty("VmHung")
  VM_HUNG,
  /** The agent's connection ended and the agent did not come back; the machine answered. */
  @JsonProperty("AgentCrashed")
  AGENT_CRASHED,
  /** The agent's connection stood and nothing came; the machine answered. */
  @JsonProperty("AgentHung")
  AGENT_HUNG,
  /** Its agent found no room to write: no space, no inodes, or a quota was used up. */
  @JsonProperty("DiskFull")
  DISK_FULL,
  /** Its agent found a file system that takes no write at all. */
  @JsonProperty("DiskReadOnly")
  DISK_READ_ONLY;

  /** Whether teams had to leave. */
  public boolean isLoss() {
    return switch (this) {
      case VM_LOST, POWER_CUT, PARTITION, VM_HUNG -> true;
      case AGENT_CRASHED, AGENT_HUNG, DISK_FULL, DISK_READ_ONLY -> false;
    };
  }

  /** Whether it is the disk's, which the agent tells of and which may go on beside another one. */
  public boolean isDisk() {
    return this == DISK_FULL || this == DISK_READ_ONLY;
  }

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
