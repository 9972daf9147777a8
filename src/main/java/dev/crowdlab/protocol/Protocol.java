package dev.crowdlab.protocol;

/** The bounds that both sides of the agents' WebSocket hold. */
public final class Protocol {

  /**
   * What both sides speak of late. While an operator updates the agents, or is itself taken back to
   * an earlier one, the two are of different age:
   *
   * <ul>
   *   <li>An agent's hello says which protocol it speaks, the newest that it knows at first. A hub
   *       that does not know it ends the session as a protocol error before any welcome; the agent
   *       then says the next older one.
   *   <li>A hub takes each from {@link #OLDEST} on, and neither says nor awaits what an agent does
   *       not know.
   * </ul>
   *
   * <p>Protocol 2 has {@link FromAgent.Prepared}, {@link FromAgent.TeamReport.State#STOPPED} and
   * {@link FromAgent.Disk}; one of protocol 1 is asked for a run ahead and answers nothing.
   */
  public static final int VERSION = 2;

  /** The oldest that both sides still speak. */
  public static final int OLDEST = 1;

  /** How a WebSocket ends when one side does not understand the other (RFC 6455). */
  public static final int PROTOCOL_ERROR = 1002;

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
