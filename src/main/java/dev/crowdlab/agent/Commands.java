package dev.crowdlab.agent;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Programs of the VM. The only way in which the agent starts any. */
interface Commands {

  /**
   * Runs a program to its end, or to its deadline, or until it is cancelled; then it is destroyed.
   * Never throws for what the program does.
   */
  Result run(Command command);

  /**
   * A program to run.
   *
   * @param words the program and its arguments, passed as they are: there is no shell
   * @param input its standard input; null: none
   * @param deadline how long it may take
   * @param cancel completes when nobody wants the result any more; null: never
   * @param output the file that takes all that it says: for a program that leaves another one
   *     behind, which would hold a pipe open; null: pipes
   */
  record Command(
      List<String> words,
      @Nullable String input,
      Duration deadline,
      @Nullable CompletableFuture<Void> cancel,
      @Nullable Path output) {

    public Command {
      words = List.copyOf(words);
      requireNonNull(deadline, "deadline");
    }

    static Command of(Duration deadline, String... words) {
      return of(deadline, List.of(words));
    }

    static Command of(Duration deadline, List<String> words) {
      return new Command(words, null, deadline, null, null);
    }

    Command withInput(String text) {
      return new Command(words, text, deadline, cancel, output);
    }

    Command cancelledBy(CompletableFuture<Void> future) {
      return new Command(words, input, deadline, future, output);
    }

    Command sayingInto(Path file) {
      return new Command(words, input, deadline, cancel, file);
    }

    /** The program and its verb: arguments may be long. */
    String shortName() {
      return String.join(" ", words.subList(0, Math.min(3, words.size())));
    }
  }

  /**
   * How it ended.
   *
   * @param exit the exit status; {@link #TIMED_OUT}, {@link #CANCELLED}, {@link #NOT_STARTED}
   * @param out the beginning of its standard output, bounded
   * @param err the end of its standard error, bounded; of all that it said, when that is in a file
   */
  record Result(int exit, String out, String err) {

    static final int TIMED_OUT = -1;
    static final int CANCELLED = -2;
    static final int NOT_STARTED = -3;

    boolean ok() {
      return exit == 0;
    }

    boolean timedOut() {
      return exit == TIMED_OUT;
    }

    /** What a person may read about the failure: the last line the program said. */
    String reason() {
      return switch (exit) {
        case TIMED_OUT -> "it did not end in time";
        case CANCELLED -> "it was cancelled";
        case NOT_STARTED -> "it could not be started";
        default -> {
          List<String> lines = err.strip().lines().toList();
          yield lines.isEmpty() ? "exit status " + exit : lines.getLast().strip();
        }
      };
    }
  }
}
