package dev.crowdlab.vm;

import dev.crowdlab.core.VmRef;

/** What a machine needs to introduce its agent to the hub. */
public interface Enrolment {

  /** Whether the hub knows its own certificates: before that no machine can be configured. */
  boolean isOpen();

  /** The hub's URL as agents dial it. */
  String hubUrl();

  /** The certificates that agents trust for the hub, PEM. */
  String caPem();

  /** The version of the agent that this operator brings: the SHA-256 of its archive, in hex. */
  String agentVersion();

  /**
   * Makes a token for the VM's agent and keeps its hash; an earlier one is void. The plain token is
   * given out this once.
   */
  String issueToken(VmRef vm);

  /** Whether the hub accepts the token of which the machine says that it has this SHA-256 (hex). */
  boolean acceptsToken(VmRef vm, String sha256);

  /** Makes every token of the VM void. */
  void revoke(VmRef vm);
}
