package dev.crowdlab.testbed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What programs of the test bed have written, for the report of a failure. */
public final class Logs {

  private Logs() {}

  /** At most so many lines from the log's end; why not, when it cannot be read. */
  public static String end(Path log, int most) {
    try {
      List<String> lines = Files.readAllLines(log);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - most), lines.size()));
    } catch (IOException e) {
      return e.toString();
    }
  }
}
