package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What a verification can find on a machine. */
public enum FindingKind {
  /** A file differs from what its package installed. */
  @JsonProperty("PackageFileModified")
  PACKAGE_FILE_MODIFIED,
  /** A file of an installed package is gone. */
  @JsonProperty("PackageFileMissing")
  PACKAGE_FILE_MISSING,
  /** A protected path differs from the baseline. */
  @JsonProperty("ProtectedPathChanged")
  PROTECTED_PATH_CHANGED,
  /** A protected path of the baseline is gone. */
  @JsonProperty("ProtectedPathMissing")
  PROTECTED_PATH_MISSING,
  /** An account other than root has uid 0. */
  @JsonProperty("UidZeroAccount")
  UID_ZERO_ACCOUNT,
  /** A key that the baseline lacks may log in. */
  @JsonProperty("AuthorizedKeyAdded")
  AUTHORIZED_KEY_ADDED,
  /** A port that the baseline lacks accepts connections. */
  @JsonProperty("ListenerAdded")
  LISTENER_ADDED,
  /** Another ContributedVM has the same machine-id. */
  @JsonProperty("MachineIdDuplicate")
  MACHINE_ID_DUPLICATE,
  /** The machine-id differs from the baseline: another machine answers. */
  @JsonProperty("MachineIdChanged")
  MACHINE_ID_CHANGED,
  /**
   * The baseline that the machine was accepted with is gone or altered: nothing can be compared.
   */
  @JsonProperty("BaselineLost")
  BASELINE_LOST,
  /** The distribution or its release is not one that the policy allows. */
  @JsonProperty("DistributionNotAllowed")
  DISTRIBUTION_NOT_ALLOWED,
  /** The kernel is older than the policy allows. */
  @JsonProperty("KernelTooOld")
  KERNEL_TOO_OLD,
  /** The kernel reports that it is tainted. */
  @JsonProperty("KernelTainted")
  KERNEL_TAINTED,
  /** The clock is far from the operator's. */
  @JsonProperty("ClockSkewed")
  CLOCK_SKEWED,
  /** The machine has less cpu or memory than its capacity promises. */
  @JsonProperty("CapacityTooSmall")
  CAPACITY_TOO_SMALL,
  /** A part of the verification could not be carried out. */
  @JsonProperty("Unmeasurable")
  UNMEASURABLE;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
