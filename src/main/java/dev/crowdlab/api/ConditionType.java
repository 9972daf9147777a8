package dev.crowdlab.api;

/** The types of the conditions in the status of both kinds. */
public final class ConditionType {
  /**
   * Both kinds: the object is what its spec asks for. The one condition that automation waits on.
   */
  public static final String READY = "Ready";

  /**
   * Both kinds, present only while true: we are at work, or wait for something that comes by
   * itself.
   */
  public static final String RECONCILING = "Reconciling";

  /** Both kinds, present only while true: a person must act. */
  public static final String STALLED = "Stalled";

  /** ContributedVM: its sshd is reached, its host key approved, and the login works. */
  public static final String REACHABLE = "Reachable";

  /** ContributedVM: the last verification found no violation. */
  public static final String VERIFIED = "Verified";

  /** ContributedVM: the agent and what it needs are installed. */
  public static final String CONFIGURED = "Configured";

  /** ContributedVM: the agent has a session in the hub. */
  public static final String AGENT_CONNECTED = "AgentConnected";

  /** ContributedVM, present only while true: a violation holds it until a person releases it. */
  public static final String QUARANTINED = "Quarantined";

  /** ContributedVM, present only when asked for: whether its teams have left. */
  public static final String DRAINED = "Drained";

  /** LabTeam: it has a machine. */
  public static final String PLACED = "Placed";

  /** LabTeam: its workspace is mounted on the machine, under the binding's epoch. */
  public static final String WORKSPACE_ATTACHED = "WorkspaceAttached";

  /** LabTeam: its containers run and are healthy. */
  public static final String EXERCISE_RUNNING = "ExerciseRunning";

  /** LabTeam: students' connections go to the machine. */
  public static final String ROUTED = "Routed";

  private ConditionType() {}
}
