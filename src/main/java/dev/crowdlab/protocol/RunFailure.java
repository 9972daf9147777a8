package dev.crowdlab.protocol;

/** Why a run failed, as the agent sees it; the operator turns each into a condition's reason. */
public enum RunFailure {
  /** The image is neither on the VM nor could it be pulled. */
  IMAGE_MISSING,
  /** A container ended by itself. */
  CONTAINER_EXITED,
  /** A container could not be created or started. */
  CONTAINER_REFUSED,
  /** The file server refused the login of this epoch: the run is stale. */
  EPOCH_REFUSED,
  /** The workspace could not be mounted, or its mount died and the file server does not answer. */
  MOUNT_FAILED,
  /**
   * The mount died, and the file server answers. What the dead one still had under way may reach
   * the file server at any time, until its epoch is fenced: so only a new epoch may write.
   */
  MOUNT_LOST,
  /** The workspace is full. */
  WORKSPACE_FULL,
  /** The run asks for more teams, cpu or memory than the VM was configured to lend. */
  CAPACITY_EXCEEDED,
  /** Another process holds the published port. */
  PORT_IN_USE,
  /** The agent's host lacks what the run needs (podman, sshfs, /dev/fuse); the message names it. */
  HOST_UNFIT,
  /** Something the agent did not foresee; the message says what. */
  INTERNAL
}
