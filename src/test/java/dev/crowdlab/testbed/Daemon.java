package dev.crowdlab.testbed;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program in the background that runs while its standard input is open (see while-open). */
final class Daemon implements AutoCloseable {
  private static final Duration STOP_BOUND = Duration.ofSeconds(10);
  private static final int LOG_LINES_SHOWN = 10;

  private final Process process;
  private final Path log;

  private Daemon(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  static Daemon start(Path log, List<String> words) {
    File file = log.toFile();
    try {
      Process process =
          new ProcessBuilder(words)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(file))
              .start();
      return new Daemon(process, log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * @throws IllegalStateException when it has ended by itself; the message has its log's end
   */
  void checkRunning() {
    if (!process.isAlive()) {
      throw new IllegalStateException(
          "it has ended, see %s: %s".formatted(log, Logs.end(log, LOG_LINES_SHOWN)));
    }
  }

  /** Kills it, as a crash would. */
  @Override
  public void close() {
    try {
      process.getOutputStream().close();
      if (!process.waitFor(STOP_BOUND.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException(log + ": its process did not end");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
