package dev.crowdlab.vm;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.IntegrityStatus;

/**
 * Decides by policy what a measurement means, against the baseline that the machine was accepted
 * with.
 */
public interface Judge {

  /**
   * Judges a measurement. The first one that is accepted becomes the baseline; a later one that is
   * accepted replaces it when a package update explains the difference.
   *
   * @param sharesMachineId whether another ContributedVM reports the same machine-id
   */
  Judgement judge(ContributedVM vm, VmAccess.Probed probed, boolean sharesMachineId);

  /** Forgets a VM's baseline: it is gone, or a person accepted its present state. */
  void forget(ContributedVM vm);

  /**
   * A verdict.
   *
   * @param accepted whether no finding violates the policy
   * @param quarantine whether a violation quarantines the machine
   */
  record Judgement(boolean accepted, boolean quarantine, IntegrityStatus integrity) {}
}
