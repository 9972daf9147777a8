package dev.crowdlab.oracle;

import dev.crowdlab.oracle.Breach.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Judges a file that the writers of one team appended {@link Mark}s to, one after the other. Each
 * writer saves a line (fsync) before it acknowledges it and writes the next. So:
 *
 * <ul>
 *   <li>every acknowledged line is there, once;
 *   <li>the lines of one writer are 1, 2, 3, ... without a hole, whoever heard of them;
 *   <li>the lines of two writers do not mix, and epochs never fall;
 *   <li>only the last line of a writer, which was acknowledged to nobody, may be there in part.
 * </ul>
 */
public final class WriterJudge {

  /** What is told; more would not be read. */
  private static final int MOST = 20;

  private final List<Breach> breaches = new ArrayList<>();
  private final Set<Mark> there = new HashSet<>();
  private final Set<String> finished = new HashSet<>();
  private @Nullable Mark last;
  private long highest;
  private @Nullable String cutOff;

  private WriterJudge() {}

  /**
   * What is wrong with a file; nothing when all is as promised.
   *
   * @param text all of the file
   * @param acknowledged the lines that a collector outside heard of
   */
  public static List<Breach> judge(String text, Collection<Mark> acknowledged) {
    WriterJudge judge = new WriterJudge();
    for (String piece : text.split("\n", -1)) {
      judge.read(piece);
    }
    for (Mark mark : acknowledged) {
      if (!judge.there.contains(mark)) {
        judge.breach(Kind.LOST_LINE, "'" + mark + "' was acknowledged and is not there");
      }
    }
    return List.copyOf(judge.breaches);
  }

  /** The writers whose lines are in a file, in the order in which they began. */
  public static List<String> writers(String text) {
    Set<String> writers = new LinkedHashSet<>();
    text.lines().flatMap(line -> Mark.parse(line).stream()).map(Mark::writer).forEach(writers::add);
    return List.copyOf(writers);
  }

  private void read(String piece) {
    if (piece.isEmpty()) {
      // Behind the end of the last line, or of one that was cut off and never begun again.
      return;
    }
    Mark before = last;
    Optional<Mark> mark = Mark.parse(piece);
    if (mark.isPresent()) {
      read(before, mark.get());
    } else if (Mark.firstBeginsAs(piece) || (before != null && before.next().beginsAs(piece))) {
      cutOff = piece;
    } else {
      foreign(piece);
    }
  }

  private void read(@Nullable Mark before, Mark mark) {
    if (before != null && mark.isOfSameWriterAs(before)) {
      follow(before, mark);
    } else {
      begin(before, mark);
    }
    if (mark.epoch() < highest) {
      breach(Kind.OLDER_EPOCH_WROTE, "'" + mark + "' follows one of epoch " + highest);
    }
    highest = Math.max(highest, mark.epoch());
    cutOff = null;
    last = mark;
    there.add(mark);
  }

  private void follow(Mark before, Mark mark) {
    if (cutOff != null) {
      // A writer ends with a line that it could not save.
      foreign(cutOff);
    }
    if (mark.number() <= before.number()) {
      breach(Kind.OUT_OF_ORDER, "'" + mark + "' follows '" + before + "'");
    } else if (mark.number() > before.number() + 1) {
      breach(Kind.HOLE, "between '" + before + "' and '" + mark + "'");
    }
  }

  private void begin(@Nullable Mark before, Mark mark) {
    if (before != null) {
      finished.add(before.writer());
    }
    if (finished.contains(mark.writer())) {
      breach(Kind.TWO_WRITERS, "'" + mark + "' follows '" + before + "'");
    } else if (mark.number() != 1) {
      breach(Kind.HOLE, "before '" + mark + "', the first of its writer");
    }
  }

  private void foreign(String piece) {
    String shown = piece.length() <= 80 ? piece : piece.substring(0, 80) + "...";
    breach(Kind.FOREIGN_BYTES, "'" + shown + "' after '" + last + "'");
  }

  private void breach(Kind kind, String detail) {
    if (breaches.size() < MOST) {
      breaches.add(new Breach(kind, detail));
    }
  }
}
