package dev.crowdlab.storage;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.ssh.KeptConnection;
import dev.crowdlab.ssh.Payload;
import dev.crowdlab.ssh.SshConnector;
import dev.crowdlab.ssh.SshException;
import dev.crowdlab.ssh.SshFailure;
import dev.crowdlab.ssh.SshSession;
import dev.crowdlab.ssh.SshTarget;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/** Commands as root on the file server, over the one connection that is kept to it. */
final class RootShell implements AutoCloseable {

  private static final int MAX_OUTPUT = 64 * 1024;

  private final KeptConnection connection;
  private volatile boolean sudo;

  /**
   * What a command said.
   *
   * @param address the file server's address, as it was checked and dialled
   */
  record Reply(SshSession.Result result, String address) {}

  RootShell(Supplier<Outcome<SshTarget>> target, SshConnector connector, RandomGenerator random) {
    this.connection =
        new KeptConnection(
            "file server",
            (to, deadline) -> {
              sudo = to.sudo();
              return connector.connect(to, deadline);
            },
            target,
            random);
  }

  void whenConnected(Runnable told) {
    connection.whenConnected(told);
  }

  void start() {
    connection.start();
  }

  /** Runs a command, and once more when it met a connection that had broken unnoticed. */
  Reply run(List<String> words, Payload stdin, Deadline deadline) throws Unavailable {
    try {
      return connection.use(session -> run(session, words, stdin, deadline), deadline);
    } catch (SshException e) {
      throw new Unavailable(failure(e.failure()));
    }
  }

  private Reply run(SshSession session, List<String> words, Payload stdin, Deadline deadline)
      throws SshException {
    List<String> command =
        sudo ? Stream.concat(Stream.of("sudo", "-n", "--"), words.stream()).toList() : words;
    String address = session.contact().address();
    return new Reply(
        session.exec(command, stdin, MAX_OUTPUT, deadline), address == null ? "" : address);
  }

  /** Everything passes when somebody mends the server or the configuration: nothing is final. */
  private static Failure failure(SshFailure why) {
    return switch (why) {
      case SshFailure.NoTarget(Failure failure) -> later(failure.message());
      case SshFailure.UnknownHostKey(var presented) ->
          later(
              "it presents the %s host key %s, and none is configured"
                  .formatted(presented.type(), presented.fingerprint()));
      case SshFailure.HostKeyChanged(var presented) ->
          later(
              "it presents the %s host key %s, which is not the configured one"
                  .formatted(presented.type(), presented.fingerprint()));
      default -> later(why.toFailure().message());
    };
  }

  private static Failure later(String message) {
    return new Failure(
        Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, "the file server: " + message);
  }

  @Override
  public void close() {
    connection.close();
  }
}
