package dev.crowdlab.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Programs as processes, with a fixed environment: what the agent was started with is not theirs to
 * know, and messages come in one language.
 */
final class ProcessCommands implements Commands {

  private static final Logger LOG = Logger.getLogger(ProcessCommands.class.getName());
  private static final int MAX_OUT = 512 * 1024;
  private static final int MAX_ERR = 8 * 1024;
  private static final long DRAIN_MILLIS = 1_000;
  private static final Map<String, String> ENVIRONMENT =
      Map.of(
          "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "HOME", "/root",
          "LC_ALL", "C.UTF-8");

  private final Executor executor;

  /** The executor runs what blocks on a process's pipes: two tasks for each running program. */
  ProcessCommands(Executor executor) {
    this.executor = executor;
  }

  @Override
  public Result run(Command command) {
    Process process;
    try {
      ProcessBuilder builder = new ProcessBuilder(command.words());
      builder.environment().clear();
      builder.environment().putAll(ENVIRONMENT);
      if (command.output() != null) {
        builder.redirectErrorStream(true).redirectOutput(command.output().toFile());
      }
      process = builder.start();
    } catch (IOException e) {
      return new Result(Result.NOT_STARTED, "", String.valueOf(e.getMessage()));
    }
    long began = System.nanoTime();
    CompletableFuture<String> out = read(process.getInputStream(), MAX_OUT, false);
    CompletableFuture<String> err = read(process.getErrorStream(), MAX_ERR, true);
    feed(process, command.input());
    int exit = await(process, command);
    if (exit < 0) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    Result result =
        command.output() == null
            ? new Result(exit, drain(out), drain(err))
            : new Result(exit, "", said(command.output()));
    LOG.fine(
        () ->
            command.shortName()
                + ": exit "
                + exit
                + " after "
                + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)
                + " ms");
    return result;
  }

  private static int await(Process process, Command command) {
    CompletableFuture<?> end =
        command.cancel() == null
            ? process.onExit()
            : CompletableFuture.anyOf(process.onExit(), command.cancel());
    try {
      end.get(command.deadline().toMillis(), TimeUnit.MILLISECONDS);
      return process.isAlive() ? Result.CANCELLED : process.exitValue();
    } catch (TimeoutException e) {
      return Result.TIMED_OUT;
    } catch (ExecutionException e) {
      return Result.CANCELLED;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Result.CANCELLED;
    }
  }

  private void feed(Process process, @Nullable String input) {
    if (input == null) {
      try {
        process.getOutputStream().close();
      } catch (IOException e) {
        LOG.finest("a program ended before its input");
      }
      return;
    }
    executor.execute(
        () -> {
          try (OutputStream stream = process.getOutputStream()) {
            stream.write(input.getBytes(UTF_8));
          } catch (IOException e) {
            LOG.finest("a program did not read its input");
          }
        });
  }

  private CompletableFuture<String> read(InputStream stream, int max, boolean keepEnd) {
    return CompletableFuture.supplyAsync(() -> collect(stream, max, keepEnd), executor);
  }

  /** What a program said into a file, which is not needed any more. */
  private static String said(Path file) {
    try (InputStream stream = Files.newInputStream(file)) {
      Files.delete(file);
      return collect(stream, MAX_ERR, true);
    } catch (IOException e) {
      LOG.warning("what a program said is lost: " + e.getMessage());
      return "";
    }
  }

  /** A grandchild may hold the pipe: what has not come by now is not waited for. */
  private static String drain(CompletableFuture<String> text) {
    try {
      return text.get(DRAIN_MILLIS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  /** The first bytes of a stream; or its last ones, when they are what matters. */
  private static String collect(InputStream stream, int max, boolean keepEnd) {
    ByteArrayOutputStream kept = new ByteArrayOutputStream(1_024);
    byte[] buffer = new byte[8_192];
    try (stream) {
      for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
        if (!keepEnd) {
          kept.write(buffer, 0, Math.min(n, max - kept.size()));
          continue;
        }
        kept.write(buffer, 0, n);
        if (kept.size() > 2 * max) {
          byte[] all = kept.toByteArray();
          kept.reset();
          kept.write(all, all.length - max, max);
        }
      }
    } catch (IOException e) {
      LOG.finest("a program's output was cut off");
    }
    byte[] all = kept.toByteArray();
    int from = keepEnd ? Math.max(0, all.length - max) : 0;
    return new String(all, from, all.length - from, UTF_8);
  }
}
