package dev.crowdlab.agent;

import dev.crowdlab.protocol.FromAgent.ContainerReport;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.Protocol;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Makes what a container wrote fit for a report that others read. */
final class Texts {

  private static final int SHORTEST_SECRET = 4;
  private static final int MAX_MESSAGE = 1_000;

  private Texts() {}

  /**
   * The end of a text without control characters, and without the values of the container's own
   * variables, any of which may be a secret.
   */
  static String lastLines(String text, Collection<String> secrets) {
    String masked = text;
    for (String secret :
        secrets.stream()
            .filter(value -> value.length() >= SHORTEST_SECRET)
            .sorted(Comparator.comparingInt(String::length).reversed())
            .toList()) {
      masked = masked.replace(secret, "***");
    }
    String clean = clean(masked).strip();
    return clean.substring(Math.max(0, clean.length() - Protocol.MAX_LAST_LINES));
  }

  /** The reports without what containers wrote, when that is too much for one frame. */
  static List<TeamReport> fitting(List<TeamReport> reports) {
    long characters =
        reports.stream()
            .flatMap(report -> report.containers().stream())
            .mapToLong(
                container -> container.lastLines() == null ? 0 : container.lastLines().length())
            .sum();
    return characters < Protocol.MAX_FRAME_BYTES / 6
        ? reports
        : reports.stream().map(Texts::withoutLines).toList();
  }

  private static TeamReport withoutLines(TeamReport report) {
    return new TeamReport(
        report.teamUid(),
        report.namespace(),
        report.name(),
        report.epoch(),
        report.state(),
        report.code(),
        report.message(),
        report.containers().stream()
            .map(c -> new ContainerReport(c.name(), c.running(), c.restarts(), c.exitCode(), null))
            .toList());
  }

  /** A message of bounded length without control characters. */
  static String message(String text) {
    String clean = clean(text).strip();
    return clean.length() <= MAX_MESSAGE ? clean : clean.substring(0, MAX_MESSAGE) + "...";
  }

  private static String clean(String text) {
    StringBuilder clean = new StringBuilder(text.length());
    text.codePoints()
        .filter(c -> c == '\n' || c == '\t' || isText(c))
        .forEach(clean::appendCodePoint);
    return clean.toString();
  }

  private static boolean isText(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE -> false;
      default -> true;
    };
  }
}
