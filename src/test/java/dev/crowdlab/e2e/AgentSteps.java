package dev.crowdlab.e2e;

import dev.crowdlab.testbed.LabHost;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a machine's agent did for a team, by its own journal: its steps and its programs. */
final class AgentSteps {

  private static final Pattern LINE = Pattern.compile("(\\d+\\.\\d+) \\S+ \\S+ (.*)");
  private static final Pattern STEP = Pattern.compile("([a-z ]+) after (-?\\d+) ms");
  private static final Pattern PROGRAM =
      Pattern.compile("FINE (.+): exit (-?\\d+) after (\\d+) ms");

  /**
   * A span of time.
   *
   * @param from since the moment from which all is counted
   */
  record Span(String what, Duration from, Duration took) {}

  private AgentSteps() {}

  /** Has the agent tell of every program; before it is installed. */
  static void tellAll(LabHost machine) {
    machine.shell("mkdir -p /etc/systemd/system/crowdlab-agent.service.d");
    machine.write(
        "/etc/systemd/system/crowdlab-agent.service.d/verbose.conf",
        "[Service]\nEnvironment=JAVA_TOOL_OPTIONS=-Dcrowdlab.verbose=true\n");
  }

  /** The steps that the agent noted of the last team that became healthy since then. */
  static List<Span> steps(LabHost machine, Instant since) {
    String healthy =
        lines(machine, since)
            .filter(line -> line.contains(": healthy; "))
            .reduce("", (first, second) -> second);
    List<Span> steps = new ArrayList<>();
    Matcher step = STEP.matcher(healthy.substring(healthy.indexOf(';') + 1));
    while (step.find()) {
      Duration after = Duration.ofMillis(Long.parseLong(step.group(2)));
      steps.add(new Span(step.group(1).strip(), Duration.ZERO, after));
    }
    return steps;
  }

  /** The programs that it ran from then until the team was healthy. */
  static List<Span> programs(LabHost machine, Instant since) {
    return lines(machine, since)
        .takeWhile(line -> !line.contains(": healthy; "))
        .flatMap(line -> program(line, since).stream())
        .toList();
  }

  private static Stream<String> lines(LabHost machine, Instant since) {
    return machine
        .shell(
            String.format(
                Locale.ROOT,
                "journalctl -u crowdlab-agent -o short-unix --no-pager --since @%d.%03d",
                since.getEpochSecond(),
                since.getNano() / 1_000_000))
        .lines();
  }

  private static List<Span> program(String line, Instant since) {
    Matcher parts = LINE.matcher(line);
    if (!parts.matches()) {
      return List.of();
    }
    Matcher program = PROGRAM.matcher(parts.group(2));
    if (!program.find()) {
      return List.of();
    }
    Duration took = Duration.ofMillis(Long.parseLong(program.group(3)));
    long ended = Math.round(Double.parseDouble(parts.group(1)) * 1000) - since.toEpochMilli();
    return List.of(new Span(name(program.group(1)), Duration.ofMillis(ended).minus(took), took));
  }

  /** The program and its verb: the rest differs each time. */
  private static String name(String words) {
    return Stream.of(words.split(" "))
        .filter(word -> !word.startsWith("-") && !word.matches(".*\\d.*"))
        .limit(3)
        .collect(Collectors.joining(" "));
  }
}
