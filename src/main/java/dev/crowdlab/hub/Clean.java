package dev.crowdlab.hub;

import dev.crowdlab.protocol.FromAgent.ContainerReport;
import dev.crowdlab.protocol.FromAgent.Prepared;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import org.jspecify.annotations.Nullable;

/**
 * Takes from a VM's words what could do harm where people read them: control characters (a
 * terminal's escapes among them) and marks that turn the direction of writing.
 */
final class Clean {

  private Clean() {}

  static TeamReport report(TeamReport said) {
    return new TeamReport(
        said.teamUid(),
        said.namespace(),
        said.name(),
        said.epoch(),
        said.state(),
        said.code(),
        text(said.message()),
        said.containers().stream()
            .map(
                c ->
                    new ContainerReport(
                        c.name(), c.running(), c.restarts(), c.exitCode(), text(c.lastLines())))
            .toList());
  }

  static Prepared prepared(Prepared said) {
    return new Prepared(
        said.teamUid(),
        said.namespace(),
        said.name(),
        said.epoch(),
        said.code(),
        text(said.message()));
  }

  static @Nullable String text(@Nullable String said) {
    return said == null ? null : line(said);
  }

  static String line(String said) {
    StringBuilder clean = new StringBuilder(said.length());
    said.codePoints()
        .map(c -> c == '\n' || c == '\t' || printable(c) ? c : '\uFFFD')
        .forEach(clean::appendCodePoint);
    return clean.toString();
  }

  private static boolean printable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }
}
