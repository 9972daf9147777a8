package dev.crowdlab.oracle;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A line of a writer: under which epoch it was written, by which start of the writer, and its
 * number there, from 1. As text: the three words with a space between and a full stop, so that a
 * line that was cut off is never taken for a whole one.
 *
 * @param writer letters and digits that no other start of a writer of this team has
 */
public record Mark(long epoch, String writer, long number) {

  private static final Pattern TEXT =
      Pattern.compile("([0-9]{1,18}) ([0-9A-Za-z-]{1,80}) ([0-9]{1,18})\\.");
  private static final Pattern BEGINNING_OF_A_FIRST =
      Pattern.compile("[0-9]{1,18}( ([0-9A-Za-z-]{1,80}( 1?)?)?)?");

  public Mark {
    requireNonNull(writer, "writer");
  }

  /** The mark that a text is, when it is one. */
  public static Optional<Mark> parse(String text) {
    Matcher words = TEXT.matcher(text);
    return words.matches()
        ? Optional.of(
            new Mark(
                Long.parseLong(words.group(1)), words.group(2), Long.parseLong(words.group(3))))
        : Optional.empty();
  }

  /** What the same writer writes next. */
  Mark next() {
    return new Mark(epoch, writer, number + 1);
  }

  /** Whether a text is the beginning of this mark, cut off. */
  boolean beginsAs(String text) {
    String whole = toString();
    return text.length() < whole.length() && whole.startsWith(text);
  }

  /** Whether a text can be the beginning of a writer's first mark, cut off. */
  static boolean firstBeginsAs(String text) {
    return BEGINNING_OF_A_FIRST.matcher(text).matches();
  }

  boolean isOfSameWriterAs(Mark other) {
    return epoch == other.epoch && writer.equals(other.writer);
  }

  @Override
  public String toString() {
    return epoch + " " + writer + " " + number + ".";
  }
}
