package dev.crowdlab.ssh;

import dev.crowdlab.core.Deadline;

/** Opens connections. */
public interface SshConnector {

  /**
   * Connects and authenticates; blocks its (virtual) thread until it is done, refused, or the
   * deadline has passed. The credentials are sent only to a machine that presented the pinned key.
   */
  Connection connect(SshTarget target, Deadline deadline);

  /** How connecting came out. */
  sealed interface Connection {

    /** Who calls closes the session. */
    record Connected(SshSession session) implements Connection {}

    /** Nothing is left open. */
    record Refused(SshFailure failure, Contact contact) implements Connection {}
  }
}
