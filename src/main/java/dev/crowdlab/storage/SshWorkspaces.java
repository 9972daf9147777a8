package dev.crowdlab.storage;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.ssh.Payload;
import dev.crowdlab.ssh.SshConnector;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.ssh.Text;
import dev.crowdlab.storage.RootShell.Reply;
import dev.crowdlab.storage.ScriptAnswer.Done;
import dev.crowdlab.storage.ScriptAnswer.NotDone;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link Workspaces} on a real file server: each verb is one call of the root script over a kept
 * connection. The script is installed by its digest when it is missing, so a new operator and a new
 * file server both come right by themselves.
 */
public final class SshWorkspaces implements Workspaces, AutoCloseable {

  private static final int MAX_LOGGED = 500;

  /** What a call needs beside the proof: the way there and back, and the script's other steps. */
  private static final Duration CALL = Duration.ofMillis(500);

  private static final Duration SHORTEST_BOUND = Duration.ofMillis(50);

  private static final Logger log = LoggerFactory.getLogger(SshWorkspaces.class);

  private final FileServerSettings settings;
  private final RootShell shell;
  private final WorkspaceScript script = WorkspaceScript.load();

  /**
   * @param target where the file server is and how to log in, asked for at each connect so that a
   *     corrected Secret is used at once
   */
  public SshWorkspaces(
      FileServerSettings settings,
      Supplier<Outcome<SshTarget>> target,
      SshConnector connector,
      RandomGenerator random) {
    this.settings = requireNonNull(settings, "settings");
    this.shell = new RootShell(target, connector, random);
  }

  /** Keeps the connection open from now on; without it a call opens it. */
  public void start() {
    shell.start();
  }

  /**
   * Tells of each connection that is made, from then on: what failed for want of one may be tried
   * again. {@code told} must not block.
   */
  public void whenReached(Runnable told) {
    shell.whenConnected(told);
  }

  @Override
  public void close() {
    shell.close();
  }

  @Override
  public Outcome<FileServer> prepare(Deadline deadline) {
    try {
      if (!runs(script.check(), Payload.none(), deadline)) {
        install(deadline);
      }
      Answered answered = ask(prepareCall(), deadline);
      return switch (answered.answer()) {
        case NotDone notDone -> new Outcome.Failed<>(failure("prepare", notDone));
        case Done done -> {
          FileServer server =
              new FileServer(
                  settings.name(),
                  answered.address(),
                  Math.toIntExact(done.number("port")),
                  done.value("host-key"),
                  done.value("quota").equals("on"));
          log.info("the file server {} is prepared, quota {}", server.name(), server.quota());
          yield Outcome.done(server);
        }
      };
    } catch (Unavailable e) {
      return new Outcome.Failed<>(e.failure());
    }
  }

  @Override
  public Outcome<Advanced> advance(AdvanceRequest request, Deadline deadline) {
    if (request.epoch() < 1 || request.epoch() > MAX_EPOCH) {
      throw new IllegalArgumentException("an epoch is between 1 and " + MAX_EPOCH);
    }
    String key = request.key() == null ? "" : PublicKey.parse(request.key()).line();
    ScriptCall call =
        new ScriptCall("advance")
            .with("id", request.id())
            .with("epoch", request.epoch())
            .with("vm", request.vm())
            .with("key", key)
            .with("size", request.sizeBytes())
            .with("bound-ms", bound(deadline).toMillis());
    Outcome<Advanced> outcome =
        carryOut(
            "advance",
            call,
            deadline,
            (done, address) ->
                new Advanced(
                    request.epoch(),
                    request.key() == null ? null : mount(done, address),
                    done.value("quota").equals("on")));
    switch (outcome) {
      case Outcome.Done<Advanced> _ ->
          log.info("workspace {}: epoch {} for VM {}", request.id(), request.epoch(), request.vm());
      case Outcome.InProgress<Advanced> _ -> {}
      case Outcome.Failed<Advanced>(Failure failure) ->
          log.warn(
              "workspace {}: no epoch {}: {}", request.id(), request.epoch(), failure.message());
    }
    return outcome;
  }

  private ToAgent.Mount mount(Done done, String address) {
    return new ToAgent.Mount(
        address,
        Math.toIntExact(done.number("port")),
        done.value("login"),
        done.value("path"),
        done.value("host-key"));
  }

  @Override
  public Outcome<Long> highestEpoch(WorkspaceId id, Deadline deadline) {
    return carryOut(
        "highest",
        new ScriptCall("highest").with("id", id),
        deadline,
        (done, _) -> done.number("highest"));
  }

  @Override
  public Outcome<Void> retire(WorkspaceId id, Duration retention, Deadline deadline) {
    ScriptCall call =
        new ScriptCall("retire")
            .with("id", id)
            .with("retention", Math.max(0, retention.toSeconds()))
            .with("bound-ms", bound(deadline).toMillis());
    return switch (carryOut("retire", call, deadline, (done, _) -> done)) {
      case Outcome.Done<Done> _ -> {
        log.info("workspace {}: retired, kept for {}", id, retention);
        yield Outcome.done();
      }
      case Outcome.InProgress<Done>(Duration lookAgainIn, String what) ->
          Outcome.inProgress(lookAgainIn, what);
      case Outcome.Failed<Done>(Failure failure) -> new Outcome.Failed<>(failure);
    };
  }

  @Override
  public Outcome<Set<WorkspaceId>> standing(String installation, Deadline deadline) {
    SortedSet<WorkspaceId> all = new TreeSet<>(Comparator.comparing(WorkspaceId::value));
    while (true) {
      ScriptCall call =
          new ScriptCall("standing")
              .with("installation", installation)
              .with("after", all.isEmpty() ? "" : all.last());
      Outcome<Page> page = carryOut("standing", call, deadline, (done, _) -> Page.of(done));
      switch (page) {
        case Outcome.Done<Page>(Page(List<WorkspaceId> ids, boolean more)) -> {
          // A page that brings nothing new would be asked for without end.
          if (!all.addAll(ids) || !more) {
            return Outcome.done(Set.copyOf(all));
          }
        }
        case Outcome.InProgress<Page>(Duration lookAgainIn, String what) -> {
          return Outcome.inProgress(lookAgainIn, what);
        }
        case Outcome.Failed<Page>(Failure failure) -> {
          return new Outcome.Failed<>(failure);
        }
      }
    }
  }

  /** Some of the workspaces; an answer has a bound. */
  private record Page(List<WorkspaceId> ids, boolean more) {

    private static Page of(Done done) {
      return new Page(
          Arrays.stream(done.value("ids").split(" ", -1))
              .filter(id -> !id.isEmpty())
              .map(WorkspaceId::new)
              .toList(),
          done.value("more").equals("yes"));
    }
  }

  @Override
  public Outcome<Usage> usage(WorkspaceId id, Deadline deadline) {
    return carryOut(
        "usage",
        new ScriptCall("usage").with("id", id),
        deadline,
        (done, _) -> new Usage(done.number("used"), done.number("limit")));
  }

  /** Makes a verb's value of what the script said. */
  private interface Reader<T> {
    T read(Done done, String address);
  }

  private record Answered(ScriptAnswer answer, String address) {

    private boolean needsPreparation() {
      return answer instanceof NotDone(var code, _) && code.equals("not-prepared");
    }
  }

  private <T> Outcome<T> carryOut(
      String verb, ScriptCall call, Deadline deadline, Reader<T> reader) {
    try {
      Optional<Answered> first = tryToAsk(call, deadline);
      Answered answered;
      if (first.isPresent() && !first.get().needsPreparation()) {
        answered = first.get();
      } else if (prepare(deadline) instanceof Outcome.Failed<FileServer>(Failure failure)) {
        return new Outcome.Failed<>(failure);
      } else {
        answered = ask(call, deadline);
      }
      return switch (answered.answer()) {
        case Done done -> Outcome.done(reader.read(done, answered.address()));
        case NotDone notDone -> new Outcome.Failed<>(failure(verb, notDone));
      };
    } catch (Unavailable e) {
      return new Outcome.Failed<>(e.failure());
    } catch (IllegalArgumentException e) {
      log.warn("the file server's answer to {} makes no sense", verb, e);
      return Outcome.later(
          Reason.FILE_SERVER_UNAVAILABLE, "the file server's answer makes no sense");
    }
  }

  private Answered ask(ScriptCall call, Deadline deadline) throws Unavailable {
    return tryToAsk(call, deadline)
        .orElseThrow(() -> unavailable("the script cannot be run on the file server"));
  }

  /** Empty when the script is not there. */
  private Optional<Answered> tryToAsk(ScriptCall call, Deadline deadline) throws Unavailable {
    Reply reply = shell.run(script.call(), Payload.of(call.bytes()), deadline);
    Optional<ScriptAnswer> answer = ScriptAnswer.parse(reply.result().stdout());
    if (answer.isPresent()) {
      return Optional.of(new Answered(answer.get(), reply.address()));
    }
    if (reply.result().succeeded() || !reply.result().stdout().isEmpty()) {
      throw unavailable("the file server's answer is cut short");
    }
    checkSudo(reply);
    return Optional.empty();
  }

  private void install(Deadline deadline) throws Unavailable {
    if (!runs(script.install(), Payload.of(script.text()), deadline)) {
      throw unavailable("the script cannot be installed on the file server");
    }
    log.info("installed the script on the file server {}", settings.name());
  }

  private boolean runs(List<String> words, Payload stdin, Deadline deadline) throws Unavailable {
    Reply reply = shell.run(words, stdin, deadline);
    if (!reply.result().succeeded()) {
      checkSudo(reply);
    }
    return reply.result().succeeded();
  }

  /** A script that is missing behind sudo is "command not found"; every other complaint is its. */
  private static void checkSudo(Reply reply) throws Unavailable {
    String complaint = reply.result().stderr();
    log.debug("the file server said: {}", Text.printable(complaint, MAX_LOGGED));
    if (complaint.startsWith("sudo:") && !complaint.contains("command not found")) {
      throw unavailable("the file server's user may not use sudo without a password");
    }
  }

  private ScriptCall prepareCall() {
    return new ScriptCall("prepare")
        .with("data", settings.dataDirectory())
        .with("port", settings.sftpPort())
        .with("uid-first", settings.uids().first())
        .with("uid-count", settings.uids().count());
  }

  private Duration bound(Deadline deadline) {
    Duration left = deadline.left().minus(CALL);
    Duration bound = left.compareTo(settings.proofBound()) < 0 ? left : settings.proofBound();
    return bound.compareTo(SHORTEST_BOUND) < 0 ? SHORTEST_BOUND : bound;
  }

  private static Failure failure(String verb, NotDone notDone) {
    String text = Text.printable(notDone.text(), MAX_LOGGED);
    return switch (notDone.code()) {
      case "stale-epoch", "retired" ->
          new Failure(Failure.Kind.TERMINAL, Reason.EPOCH_REFUSED, text);
      case "unknown" -> new Failure(Failure.Kind.TERMINAL, Reason.FILE_SERVER_UNAVAILABLE, text);
      case "unproven", "locked" -> new Failure(Failure.Kind.TRANSIENT, Reason.FENCE_UNPROVEN, text);
      case "internal" -> {
        // What failed names files and numbers, which do not belong into a condition.
        log.warn("the file server failed at {}: {}", verb, text);
        yield later("the file server failed at " + verb);
      }
      default -> later(text);
    };
  }

  private static Failure later(@Nullable String text) {
    return new Failure(
        Failure.Kind.TRANSIENT, Reason.FILE_SERVER_UNAVAILABLE, String.valueOf(text));
  }

  private static Unavailable unavailable(String message) {
    return new Unavailable(later(message));
  }
}
