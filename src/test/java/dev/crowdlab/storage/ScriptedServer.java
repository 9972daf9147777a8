package dev.crowdlab.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.crowdlab.core.Deadline;
import dev.crowdlab.ssh.Contact;
import dev.crowdlab.ssh.Payload;
import dev.crowdlab.ssh.Script;
import dev.crowdlab.ssh.SshConnector;
import dev.crowdlab.ssh.SshException;
import dev.crowdlab.ssh.SshFailure;
import dev.crowdlab.ssh.SshSession;
import dev.crowdlab.ssh.SshTarget;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A file server that says what a test tells it to, and remembers what it was asked. */
final class ScriptedServer implements SshConnector {

  /** A command with what it read. */
  record Asked(List<String> words, String stdin) {

    /** The verb of a call of the root script; the command's name for anything else. */
    String what() {
      if (!stdin.startsWith("verb=")) {
        return words.getLast().length() == 64 && !stdin.isEmpty() ? "install" : "check";
      }
      return stdin.substring("verb=".length(), stdin.indexOf('\n'));
    }
  }

  private final List<Asked> asked = new ArrayList<>();
  private final List<Session> sessions = new CopyOnWriteArrayList<>();
  private final Deque<Object> answers = new ArrayDeque<>();
  private volatile @Nullable SshFailure refusal;
  private final AtomicInteger attempts = new AtomicInteger();

  /** The next command's end. */
  ScriptedServer answers(int exit, String stdout, String stderr) {
    answers.add(new SshSession.Result(exit, stdout, stderr, Duration.ZERO));
    return this;
  }

  /** The next command gets this answer of the root script. */
  ScriptedServer says(String... lines) {
    return answers(0, String.join("\n", lines) + "\nend\n", "");
  }

  /** The next command breaks the connection. */
  ScriptedServer breaks(SshFailure how) {
    answers.add(how);
    return this;
  }

  /** From now on connections are refused; null: no more. */
  void refuse(@Nullable SshFailure why) {
    refusal = why;
  }

  /** The connections that are open end. */
  void dropConnections() {
    sessions.forEach(Session::close);
  }

  int attempts() {
    return attempts.get();
  }

  List<Asked> asked() {
    return asked;
  }

  List<String> verbs() {
    return asked.stream().map(Asked::what).toList();
  }

  long open() {
    return sessions.stream().filter(session -> session.open).count();
  }

  @Override
  public Connection connect(SshTarget target, Deadline deadline) {
    attempts.incrementAndGet();
    if (refusal != null) {
      return new Connection.Refused(refusal, new Contact(null, null, false, Duration.ZERO));
    }
    Session session = new Session();
    sessions.add(session);
    return new Connection.Connected(session);
  }

  private final class Session implements SshSession {

    private volatile boolean open = true;
    private volatile Runnable whenClosed = () -> {};

    @Override
    public Duration roundTrip() {
      return Duration.ZERO;
    }

    @Override
    public void whenClosed(Runnable action) {
      whenClosed = action;
    }

    @Override
    public Contact contact() {
      return new Contact("10.77.0.2", null, true, Duration.ZERO);
    }

    @Override
    public boolean isOpen() {
      return open;
    }

    @Override
    public Result exec(List<String> words, Payload stdin, int outputLimit, Deadline deadline)
        throws SshException {
      try (InputStream in = stdin.open()) {
        asked.add(new Asked(words, new String(in.readAllBytes(), UTF_8)));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      Object answer = answers.remove();
      if (answer instanceof SshFailure failure) {
        close();
        throw new SshException(failure);
      }
      return (Result) answer;
    }

    @Override
    public Result run(
        Script script,
        Map<String, String> arguments,
        Payload payload,
        int outputLimit,
        Deadline deadline) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
      open = false;
      whenClosed.run();
    }
  }
}
