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

  /**
   * A person ended the VM's quarantine: the state that the next measurement shows is accepted, but
   * for what the spec rules out by name.
   */
  void release(ContributedVM vm);

  /** Forgets a VM that is gone. Never fails. */
  void forget(ContributedVM vm);

  /**
   * A verdict.
   *
   * @param accepted whether no finding violates the policy
   * @param quarantine whether a violation quarantines the machine
   */
  record Judgement(boolean accepted, boolean quarantine, IntegrityStatus integrity) {}
}
