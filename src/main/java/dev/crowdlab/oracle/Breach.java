package dev.crowdlab.oracle;

/**
 * A promise that was broken.
 *
 * @param detail what was seen, for a person
 */
public record Breach(Kind kind, String detail) {

  /** Which promise. */
  public enum Kind {
    /** An acknowledged line is not there. */
    LOST_LINE,
    /** A line is missing among those of one writer, each of which was saved before the next. */
    HOLE,
    /** A line stands there again, or after a later one of the same writer. */
    OUT_OF_ORDER,
    /** A line of an older epoch follows one of a newer. */
    OLDER_EPOCH_WROTE,
    /** Two writers wrote at the same time. */
    TWO_WRITERS,
    /** Bytes that nobody wrote. */
    FOREIGN_BYTES,
    /** What a student's requests saved lies there otherwise. */
    WRONG_FILE,
    /** A student was shown something else than what was saved. */
    WRONG_ANSWER
  }

  @Override
  public String toString() {
    return kind + ": " + detail;
  }
}
