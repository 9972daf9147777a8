package dev.crowdlab.protocol;

/** The bounds that both sides of the agents' WebSocket hold. */
public final class Protocol {

  /** Both sides refuse another version; the operator then updates the agent over SSH. */
  public static final int VERSION = 1;

  /** The path of the hub's endpoint. */
  public static final String PATH = "/agent/v1";

  /**
   * The request header that names the ContributedVM's UID; the token comes as {@code Authorization:
   * Bearer}.
   */
  public static final String VM_HEADER = "X-Crowdlab-Vm";

  /** The largest frame in bytes, either way. */
  public static final int MAX_FRAME_BYTES = 256 * 1024;

  /** The most characters of a container's output that travel in a report. */
  public static final int MAX_LAST_LINES = 2_048;

  private Protocol() {}
}
