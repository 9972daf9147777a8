package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Where a ContributedVM stands; derived from its conditions, for people to read. */
public enum VmPhase {
  /** Seen, nothing done yet. */
  @JsonProperty("Pending")
  PENDING,
  /** Being reached over SSH, its host key checked. */
  @JsonProperty("Connecting")
  CONNECTING,
  /** Being probed and judged. */
  @JsonProperty("Verifying")
  VERIFYING,
  /** The agent and what it needs are being installed. */
  @JsonProperty("Configuring")
  CONFIGURING,
  /** Waiting for the agent to dial the hub. */
  @JsonProperty("Enrolling")
  ENROLLING,
  /** Verified, configured and connected. */
  @JsonProperty("Ready")
  READY,
  /** Its disk is full: its teams stay, and no new one comes. */
  @JsonProperty("DiskFull")
  DISK_FULL,
  /** Neither its agent nor its sshd answers. */
  @JsonProperty("Unreachable")
  UNREACHABLE,
  /** Violated its policy; a person must release it. */
  @JsonProperty("Quarantined")
  QUARANTINED,
  /** Teams are leaving. */
  @JsonProperty("Draining")
  DRAINING,
  /** Empty, as its spec asks. */
  @JsonProperty("Drained")
  DRAINED,
  /** The agent or the machine was stopped in order by its owner. */
  @JsonProperty("Stopped")
  STOPPED,
  /** Its contributor took it back; nothing of ours is on it any more. */
  @JsonProperty("Left")
  LEFT,
  /** A person must act; the conditions say how. */
  @JsonProperty("Stalled")
  STALLED,
  /** Being drained and cleaned before it goes. */
  @JsonProperty("Terminating")
  TERMINATING;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
