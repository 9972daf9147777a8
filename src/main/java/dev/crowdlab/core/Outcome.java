package dev.crowdlab.core;

import dev.crowdlab.api.Reason;
import java.time.Duration;
import java.util.function.Function;

/**
 * How a verb of a port came out. A verb is idempotent and may be called again after a crash at any
 * point; it throws only for programming errors.
 *
 * @param <T> what is known when it is done
 */
public sealed interface Outcome<T> {

  /** The effect is there, whether this call made it or an earlier one. */
  record Done<T>(T value) implements Outcome<T> {}

  /**
   * The effect is on its way. An event tells when it is there; {@code lookAgainIn} is for the case
   * that the event is lost.
   *
   * @param what a stable phrase for a condition's message
   */
  record InProgress<T>(Duration lookAgainIn, String what) implements Outcome<T> {}

  /** The effect is not there. */
  record Failed<T>(Failure failure) implements Outcome<T> {}

  /**
   * Why a verb failed.
   *
   * @param kind whether waiting can help
   * @param reason the condition's reason
   * @param message a sentence for a person, without secrets and volatile text (ports, durations,
   *     stack traces)
   */
  record Failure(Kind kind, Reason reason, String message) {

    /**
     * Whether the same call can succeed later by itself, or only after somebody changed something.
     */
    public enum Kind {
      TRANSIENT,
      TERMINAL
    }
  }

  static <T> Outcome<T> done(T value) {
    return new Done<>(value);
  }

  /** Done, and nothing more to say. */
  @SuppressWarnings("NullAway") // a Void has no value but null
  static Outcome<Void> done() {
    return new Done<>(null);
  }

  static <T> Outcome<T> inProgress(Duration lookAgainIn, String what) {
    return new InProgress<>(lookAgainIn, what);
  }

  /** Failed, and worth another try later. */
  static <T> Outcome<T> later(Reason reason, String message) {
    return new Failed<>(new Failure(Failure.Kind.TRANSIENT, reason, message));
  }

  /** Failed until somebody changes something. */
  static <T> Outcome<T> refused(Reason reason, String message) {
    return new Failed<>(new Failure(Failure.Kind.TERMINAL, reason, message));
  }

  /** The same outcome with the value of {@link Done} mapped. */
  default <R> Outcome<R> map(Function<? super T, ? extends R> mapper) {
    return switch (this) {
      case Done<T>(T value) -> new Done<>(mapper.apply(value));
      case InProgress<T>(Duration lookAgainIn, String what) -> new InProgress<>(lookAgainIn, what);
      case Failed<T>(Failure failure) -> new Failed<>(failure);
    };
  }
}
