package dev.crowdlab.ssh;

import dev.crowdlab.core.Deadline;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * An authenticated connection. Commands may run side by side, from any threads. A command that ran
 * into its deadline is cut off and leaves the others alone, unless the machine does not answer at
 * all.
 */
public interface SshSession extends AutoCloseable {

  /** What connecting learnt. */
  Contact contact();

  /** Whether commands can still be sent, as far as is known. */
  boolean isOpen();

  /** How long the machine took to answer the TCP connect: one round trip and little else. */
  Duration roundTrip();

  /** Has the action run, in a thread of its own, once the connection is lost or closed. */
  void whenClosed(Runnable action);

  /**
   * Runs a command as the login user.
   *
   * @param words the command and its arguments, each taken literally
   * @param outputLimit the most bytes of standard output that are accepted; more closes the
   *     connection
   * @throws SshException when it is not known how the command ended
   */
  Result exec(List<String> words, Payload stdin, int outputLimit, Deadline deadline)
      throws SshException;

  /**
   * Runs a script as root: directly, or through password-less sudo when the target says so. The
   * machine itself ends it shortly after the deadline, also when the connection broke.
   *
   * @throws SshException as {@link #exec}, and when sudo was refused
   */
  Result run(
      Script script,
      Map<String, String> arguments,
      Payload payload,
      int outputLimit,
      Deadline deadline)
      throws SshException;

  /** Closes the connection; never blocks for long, never throws. */
  @Override
  void close();

  /**
   * How a command ended.
   *
   * @param exit its exit status; 128 when a signal ended it, 124 when the machine cut it short
   * @param stdout all that it printed, at most the limit, as UTF-8
   * @param stderr the beginning of its complaints, for messages
   * @param firstOutput from the call to the first byte of standard output, or to the end
   */
  record Result(int exit, String stdout, String stderr, Duration firstOutput) {

    public boolean succeeded() {
      return exit == 0;
    }
  }
}
