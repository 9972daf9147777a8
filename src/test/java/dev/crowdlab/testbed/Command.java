package dev.crowdlab.testbed;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs a program to its end, within a bound. */
public final class Command {
  private Command() {}

  /**
   * What a program said.
   *
   * @param status its exit status
   */
  record Result(int status, String output, String errors) {}

  /**
   * @throws IllegalStateException when it is not done within the bound; it is killed then
   */
  static Result run(Duration bound, List<String> words) {
    try {
      Process process = new ProcessBuilder(words).start();
      process.getOutputStream().close();
      CompletableFuture<String> output = reading(process.getInputStream());
      CompletableFuture<String> errors = reading(process.getErrorStream());
      if (!process.waitFor(bound.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException(
            "%s is not done after %d s".formatted(words, bound.toSeconds()));
      }
      return new Result(process.exitValue(), output.join(), errors.join());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + words, e);
    }
  }

  /** As {@link #run}, but a status other than 0 is an exception that says what it printed. */
  public static String output(Duration bound, List<String> words) {
    Result result = run(bound, words);
    if (result.status() != 0) {
      throw new IllegalStateException(
          "%s ended with %d: %s".formatted(words, result.status(), result.errors().strip()));
    }
    return result.output();
  }

  private static CompletableFuture<String> reading(InputStream stream) {
    CompletableFuture<String> text = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try (stream) {
                text.complete(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
              } catch (IOException e) {
                text.completeExceptionally(e);
              }
            });
    return text;
  }
}
