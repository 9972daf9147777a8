package dev.crowdlab.agent;

import dev.crowdlab.agent.Commands.Command;
import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.protocol.FromAgent.Cleared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.logging.Logger;

/**
 * Takes everything of ours off this machine, the agent last: first the teams, then with the
 * installer's own script all but the agent; then the hub is told, and the script takes the agent
 * too. That it began is kept on disk, so that an agent which starts again on the way goes on by
 * itself, whether it finds the hub or not.
 *
 * <p>The script runs in units of its own, as it must not end with what it removes, and has rights
 * that the agent's service gave up.
 */
final class Departure {

  private static final Logger LOG = Logger.getLogger(Departure.class.getName());
  private static final Duration TEAMS = Duration.ofSeconds(20);
  private static final Duration CLEAR = Duration.ofMinutes(5);
  private static final Duration TELL = Duration.ofSeconds(10);
  private static final Duration START = Duration.ofSeconds(10);
  private static final int MOST_LINES = 256;

  /** Tells the hub; false when it could not be told. */
  interface Hub {
    boolean cleared(Cleared cleared, Duration atMost);
  }

  private final Commands commands;
  private final Executor executor;
  private final Path script;
  private final Path mark;
  private final String vmUid;
  private final Supplier<CompletableFuture<Void>> teams;
  private final Hub hub;
  private final AtomicBoolean underWay = new AtomicBoolean();

  /**
   * @param script what the installer left for this
   * @param teams stops all teams; completes when nothing of them is left
   */
  Departure(
      Commands commands,
      Executor executor,
      Path script,
      Path stateDir,
      String vmUid,
      Supplier<CompletableFuture<Void>> teams,
      Hub hub) {
    this.commands = commands;
    this.executor = executor;
    this.script = script;
    this.mark = stateDir.resolve("leaving");
    this.vmUid = vmUid;
    this.teams = teams;
    this.hub = hub;
  }

  /** Goes on with what an earlier agent began for the same VM. */
  void resume() throws IOException {
    if (Files.exists(mark) && Files.readString(mark).strip().equals(vmUid)) {
      begin();
    }
  }

  /** Begins, unless it is under way; returns at once. */
  void begin() {
    if (underWay.compareAndSet(false, true)) {
      executor.execute(this::leave);
    }
  }

  private void leave() {
    try {
      LOG.info("the lab leaves this machine");
      note();
      stopTeams();
      Cleared cleared = clear();
      if (!hub.cleared(cleared, TELL)) {
        LOG.warning("the hub could not be told what was taken away");
      }
      if (cleared.left().isEmpty()) {
        go();
      } else {
        LOG.severe("still here: " + String.join(", ", cleared.left()));
      }
    } finally {
      underWay.set(false);
    }
  }

  /** A disk that takes nothing keeps nobody here: to leave may be what makes room on it. */
  private void note() {
    try {
      Durable.write(mark, vmUid);
    } catch (IOException e) {
      LOG.warning("an agent that starts again on the way will not go on by itself: " + e);
    }
  }

  /** What does not stop in order is removed by force with the rest. */
  private void stopTeams() {
    try {
      teams.get().get(TEAMS.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      LOG.warning("not all teams stopped in order");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Cleared clear() {
    Result result =
        commands.run(
            Command.of(
                CLEAR,
                "systemd-run",
                "--quiet",
                "--collect",
                "--wait",
                "--pipe",
                "--property=RuntimeMaxSec=" + CLEAR.toSeconds(),
                "/bin/sh",
                script.toString(),
                "--but-agent"));
    List<String> left = values(result, "left=");
    if (left.isEmpty() && (!result.ok() || values(result, "found=").isEmpty())) {
      left = List.of("what " + script + " did not come to: " + result.reason());
    }
    return new Cleared(values(result, "kept="), left);
  }

  private void go() {
    Result result = commands.run(Command.of(START, "/bin/sh", script.toString(), "--detach"));
    if (!result.ok()) {
      LOG.severe(script + " could not be started: " + result.reason());
    }
  }

  private static List<String> values(Result result, String key) {
    return result
        .out()
        .lines()
        .filter(line -> line.startsWith(key))
        .limit(MOST_LINES)
        .map(line -> Texts.message(line.substring(key.length())))
        .toList();
  }
}
