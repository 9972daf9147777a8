package dev.crowdlab.oracle;

import dev.crowdlab.oracle.Breach.Kind;
import dev.crowdlab.oracle.Exchange.Answer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Judges what a student was shown, and how a student's requests fared. */
public final class StudentJudge {

  private static final Pattern UNPRINTABLE = Pattern.compile("([\\x00-\\x1f\\x7f])\\1*");

  private StudentJudge() {}

  /** The wrong answers: there may be none, whatever fails. */
  public static List<Breach> judge(List<Exchange> exchanges) {
    return exchanges.stream()
        .filter(exchange -> exchange.answer() == Answer.WRONG)
        .map(
            exchange ->
                new Breach(
                    Kind.WRONG_ANSWER,
                    exchange.way() + " at " + exchange.sent() + ": " + exchange.detail()))
        .toList();
  }

  /**
   * What is wrong with a file that one student appended a number a line to, one after the other, as
   * it is shown now; empty when nothing is. A number that was not acknowledged may be there, once,
   * in part or not at all.
   *
   * @param shown the file as it was answered
   * @param acknowledged the numbers acknowledged before the question, in order
   * @param highest the highest number that may have been sent before the answer
   */
  public static Optional<String> wrong(String shown, Collection<Long> acknowledged, long highest) {
    List<Long> numbers = new ArrayList<>();
    int offset = 0;
    for (String line : shown.split("\n", -1)) {
      if (line.matches("[0-9]{1,18}\\.")) {
        numbers.add(Long.parseLong(line.substring(0, line.length() - 1)));
      } else if (!line.matches("[0-9]{0,18}")) {
        return Optional.of(
            "a line that nobody sent, at %d of %d: '%s'"
                .formatted(offset, shown.length(), printable(line)));
      }
      offset += line.length() + 1;
    }
    Set<Long> wanted = new HashSet<>(acknowledged);
    Set<Long> seen = new HashSet<>();
    long before = 0;
    for (long number : numbers) {
      if (number > highest) {
        return Optional.of(number + " was not sent yet");
      }
      if (!seen.add(number)) {
        return Optional.of(number + " stands there twice");
      }
      if (wanted.contains(number)) {
        if (number < before) {
          return Optional.of(number + " follows " + before);
        }
        before = number;
      }
    }
    return acknowledged.stream()
        .filter(number -> !seen.contains(number))
        .findFirst()
        .map(number -> number + " was acknowledged and is not shown");
  }

  /** A line with what no terminal shows spelt out: NUL bytes are the trace of a hole in a file. */
  private static String printable(String line) {
    return UNPRINTABLE
        .matcher(line)
        .replaceAll(
            run -> "<%d x %02x>".formatted(run.group().length(), (int) run.group().charAt(0)));
  }

  /**
   * How many requests that could have been held came to nothing, of those that were sent from a
   * moment on.
   */
  public static int failuresFrom(List<Exchange> exchanges, Instant from) {
    return (int)
        exchanges.stream()
            .filter(exchange -> exchange.way().isHeld())
            .filter(exchange -> !exchange.sent().isBefore(from))
            .filter(exchange -> !exchange.isRight())
            .count();
  }

  /** When the first right answer was complete that was complete from a moment on. */
  public static Optional<Instant> firstRightFrom(List<Exchange> exchanges, Instant from) {
    return exchanges.stream()
        .filter(exchange -> exchange.way().isHeld())
        .filter(Exchange::isRight)
        .map(Exchange::ended)
        .filter(ended -> !ended.isBefore(from))
        .min(Instant::compareTo);
  }
}
