package dev.crowdlab.api;

/**
 * The reasons in conditions and events: stable words that automation may match. Which states they
 * make up stands in docs/states.md.
 */
public enum Reason {
  // both kinds

  /** The object is what its spec asks for. */
  READY("Ready"),

  /** At work; the other conditions say on what. */
  PROGRESSING("Progressing"),

  /** An earlier step must succeed first. */
  WAITING("Waiting"),

  /** The annotation crowdlab.dev/paused stops our hands; nothing is changed until it goes. */
  PAUSED("Paused"),

  /** The object is being deleted and what it left elsewhere is being removed. */
  DELETING("Deleting"),

  /** Clean-up did not end in its bound; the object went, and what remains is named. */
  CLEANUP_ABANDONED("CleanupAbandoned"),

  /** We failed for a reason that is ours; the log says which, and we try again. */
  INTERNAL_ERROR("InternalError"),

  // ContributedVM: reaching it

  /** The last connection succeeded. */
  CONNECTED("Connected"),

  /**
   * The presented host key is neither pinned nor approved; nothing is sent until a person approves
   * it.
   */
  HOST_KEY_NOT_APPROVED("HostKeyNotApproved"),

  /**
   * The presented host key is not the pinned one; nothing is sent, and nothing retried, until a
   * person decides.
   */
  HOST_KEY_CHANGED("HostKeyChanged"),

  /** A Secret that the spec refers to does not exist (yet). */
  SECRET_NOT_FOUND("SecretNotFound"),

  /** A Secret lacks a key, is of the wrong type, or holds what cannot be used. */
  SECRET_INVALID("SecretInvalid"),

  /** The private key is encrypted and the Secret has no passphrase that opens it. */
  PASSPHRASE_REQUIRED("PassphraseRequired"),

  /** The machine refused the credentials. */
  AUTHENTICATION_FAILED("AuthenticationFailed"),

  /** The user may not use sudo without a password. */
  SUDO_REFUSED("SudoRefused"),

  /** An older ContributedVM is the same machine. */
  DUPLICATE_MACHINE("DuplicateMachine"),

  /** The host resolves to an address that must not be dialled. */
  ADDRESS_NOT_ALLOWED("AddressNotAllowed"),

  /** The host name does not resolve. */
  HOST_NOT_RESOLVED("HostNotResolved"),

  /** No connection could be made. */
  UNREACHABLE("Unreachable"),

  /** The machine was connected and now neither its agent nor its sshd answers. */
  VM_LOST("VmLost"),

  /** The machine's kernel still takes connections, and nothing else on it answers. */
  VM_HUNG("VmHung"),

  /** The agent is well and sshd does not answer: no fault, but nobody can log in. */
  SSHD_SILENT("SshdSilent"),

  /**
   * The machine does not answer, and is not held for lost yet: too many vanished with it, or the
   * operator hears nobody else either.
   */
  LOSS_DOUBTED("LossDoubted"),

  // ContributedVM: judging it

  /** The last verification found no violation. */
  VERIFIED("Verified"),

  /** The probe could not be carried out. */
  VERIFICATION_FAILED("VerificationFailed"),

  /** The verification found what the policy forbids. */
  POLICY_VIOLATED("PolicyViolated"),

  /** A violation holds the machine until a person releases it. */
  QUARANTINED("Quarantined"),

  /** Two agents answer for this machine; a person must find out which is real. */
  IDENTITY_CONFLICT("IdentityConflict"),

  // ContributedVM: configuring and enrolling it

  /** The agent and what it needs are installed. */
  CONFIGURED("Configured"),

  /** A step of the configuration failed on the machine. */
  CONFIGURATION_FAILED("ConfigurationFailed"),

  /** The distribution or architecture is not one we can configure. */
  UNSUPPORTED_SYSTEM("UnsupportedSystem"),

  /** The agent has a session in the hub. */
  AGENT_CONNECTED("AgentConnected"),

  /** The agent has no session in the hub yet. */
  AGENT_NOT_CONNECTED("AgentNotConnected"),

  /** The agent's session is gone while the machine answers; it is being restarted. */
  AGENT_LOST("AgentLost"),

  /** The agent's session stands and nothing comes, while the machine answers; it is restarted. */
  AGENT_HUNG("AgentHung"),

  /** The contributor paused the machine on the machine itself; no team is left. */
  CONTRIBUTOR_PAUSED("ContributorPaused"),

  /** The contributor took the pause back. */
  CONTRIBUTOR_RESUMED("ContributorResumed"),

  /**
   * The contributor wants the machine back: teams leave, then everything of ours is removed from
   * it.
   */
  LEAVING("Leaving"),

  /** The contributor has the machine back; only a person can take it in again. */
  LEFT("Left"),

  /** The agent or the machine was stopped in order by its owner; nobody else starts it. */
  STOPPED("Stopped"),

  /** Nothing more can be written on the machine's disk; its teams stay, and no new one comes. */
  DISK_FULL("DiskFull"),

  /** The machine's disk takes no write at all; the same, and a person must mend it. */
  DISK_READ_ONLY("DiskReadOnly"),

  /** The machine is back, and must stay a while before it carries teams again. */
  STABILISING("Stabilising"),

  // ContributedVM: its use

  /** The spec keeps new teams away. */
  CORDONED("Cordoned"),

  /** Teams are leaving. */
  DRAINING("Draining"),

  /** No team is left. */
  DRAINED("Drained"),

  /** The machine is not lent now. */
  OUTSIDE_WINDOW("OutsideWindow"),

  /** An availability window names a time zone that does not exist. */
  INVALID_TIME_ZONE("InvalidTimeZone"),

  // LabTeam: placing it

  /** The team has a machine. */
  PLACED("Placed"),

  /** No machine that fits has room; the team is placed as soon as one has. */
  NO_CAPACITY("NoCapacity"),

  /** No machine matches the selector. */
  NO_MATCHING_VM("NoMatchingVm"),

  /** The team is moving to another machine after a fault. */
  RECOVERING("Recovering"),

  /** The machine failed and the policy is Manual; a person must rebind. */
  RECOVERY_AWAITS_APPROVAL("RecoveryAwaitsApproval"),

  /** The spec asks that nothing runs. */
  SUSPENDED("Suspended"),

  /** The team expired and is suspended. */
  EXPIRED("Expired"),

  // LabTeam: its workspace

  /** The workspace is mounted under the binding's epoch. */
  ATTACHED("Attached"),

  /** The operator has no file server. */
  FILE_SERVER_NOT_CONFIGURED("FileServerNotConfigured"),

  /** The file server does not answer or refused the operator. */
  FILE_SERVER_UNAVAILABLE("FileServerUnavailable"),

  /** The file server is being advanced to the binding's epoch. */
  FENCING("Fencing"),

  /**
   * The file server could not prove in its bound that no older epoch can write; the team stays
   * unbound.
   */
  FENCE_UNPROVEN("FenceUnproven"),

  /**
   * The file server has seen a higher epoch of the workspace, or its end; the operator adopts it.
   */
  EPOCH_REFUSED("EpochRefused"),

  /** The machine could not mount the workspace. */
  MOUNT_FAILED("MountFailed"),

  /** The workspace is full; what runs goes on, writes fail. */
  WORKSPACE_FULL("WorkspaceFull"),

  /** The file server's file system has no quota; the size is not enforced. */
  QUOTA_UNAVAILABLE("QuotaUnavailable"),

  // LabTeam: its exercise

  /** Every container runs and is healthy. */
  RUNNING("Running"),

  /** The containers are being started. */
  STARTING("Starting"),

  /** An image is neither on the machine nor could it be pulled. */
  IMAGE_PULL_FAILED("ImagePullFailed"),

  /** A container ended; the message has its last lines. */
  CONTAINER_EXITED("ContainerExited"),

  /** A container could not be started. */
  CONTAINER_FAILED("ContainerFailed"),

  // LabTeam: its route

  /** Students' connections go to the machine. */
  ROUTED("Routed"),

  /** Students' connections are held by the operator until the exercise answers. */
  WAITING_ROOM("WaitingRoom"),

  /** The operator's route.sources is empty: the exercise's port would accept nobody. */
  SOURCES_NOT_CONFIGURED("SourcesNotConfigured"),

  /** Another namespace's team uses the host. */
  HOST_TAKEN("HostTaken"),

  /** The installation does not allow one of the annotations in access. */
  ANNOTATION_NOT_ALLOWED("AnnotationNotAllowed"),

  /** The API server refused the Service, EndpointSlice or Ingress. */
  ROUTE_FAILED("RouteFailed");

  private final String value;

  Reason(String value) {
    this.value = value;
  }

  /** The word as it stands in conditions and events. */
  public String value() {
    return value;
  }

  @Override
  public String toString() {
    return value;
  }
}
