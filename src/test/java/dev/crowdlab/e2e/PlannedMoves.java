package dev.crowdlab.e2e;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.StepTime;
import dev.crowdlab.api.TeamStep;
import dev.crowdlab.core.Times;
import dev.crowdlab.oracle.Exchange;
import dev.crowdlab.oracle.Figures;
import dev.crowdlab.oracle.History;
import dev.crowdlab.oracle.HttpStudent;
import dev.crowdlab.oracle.StudentJudge;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.TestBed;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Moves a team from machine to machine as a person asks for it, while a student reads and writes
 * without a pause, and prints for how long there was no right answer, and when each step was done.
 * A measurement, no test: nothing fails because something was slow.
 */
public final class PlannedMoves {

  private static final Duration BOUND = Duration.ofSeconds(120);
  private static final Duration PAUSE = Duration.ofMillis(5);
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String TEAM = "mover";
  private static final Map<TeamStep, String> NAMES =
      Map.of(
          TeamStep.CHOSEN, "stopped, saved and bound",
          TeamStep.FENCED, "fenced",
          TeamStep.ATTACHED, "attached",
          TeamStep.STARTED, "started",
          TeamStep.ROUTED, "routed");

  private final PrintStream out = System.out;
  private final Map<String, List<Duration>> silences = new LinkedHashMap<>();
  private final Map<String, List<Duration>> ahead = new LinkedHashMap<>();
  private final Map<String, List<Duration>> steps = new LinkedHashMap<>();
  private final Map<String, List<Duration>> programs = new LinkedHashMap<>();
  private int errors;
  private int wrong;

  private PlannedMoves() {}

  /** The argument is the number of moves, 10 by default. */
  public static void main(String[] args) throws Exception {
    String words = String.join("", args).strip();
    new PlannedMoves().run(words.isEmpty() ? 10 : Integer.parseInt(words));
  }

  private void run(int times) throws Exception {
    TestBed bed = TestBed.ready();
    try (ControlPlane controlPlane = ControlPlane.start(bed);
        LabNetwork network = LabNetwork.create(bed);
        IngressBed ingress = IngressBed.start(bed, controlPlane);
        Lab lab = Lab.start(controlPlane, network, "moves")) {
      Map<String, LabHost> machines = new LinkedHashMap<>();
      for (String name : List.of("p-one", "p-two")) {
        machines.put(name, Lab.machine(network, name, HostOptions.full().image()));
        AgentSteps.tellAll(machines.get(name));
        lab.contribute(machines.get(name), name, 4);
      }
      for (String name : machines.keySet()) {
        lab.awaitVmReady(name, BOUND);
      }
      lab.team(TEAM);
      String url = lab.awaitTeamReady(TEAM, BOUND).getStatus().url();
      out.printf("load before: %s%n", load());
      History history = new History();
      HttpStudent.Settings settings =
          new HttpStudent.Settings(
              URI.create(url + "cgi-bin/file?lines"),
              Optional.of(URI.create(url + "cgi-bin/append?lines")),
              Optional.of(ingress.address()),
              PAUSE,
              PATIENCE);
      try (HttpStudent _ = HttpStudent.start(settings, Clock.systemUTC(), history)) {
        for (int i = 1; i <= times; i++) {
          once(lab, machines, history, i);
        }
      }
      Files.copy(
          lab.operatorLog(),
          Path.of("target", "planned-moves.log"),
          StandardCopyOption.REPLACE_EXISTING);
    }
    table("without a right answer", silences);
    table("since the move was asked for", ahead);
    table("since students were diverted", steps);
    table("the agents' programs: when they began since then, and how long each took", programs);
    out.printf("%nrequests that came to nothing: %d, wrong answers: %d%n", errors, wrong);
  }

  private void once(Lab lab, Map<String, LabHost> machines, History history, int number)
      throws InterruptedException {
    awaitAnswers(history, Instant.now());
    long epoch = lab.teamNow(TEAM).getStatus().binding().epoch();
    Instant asked = Instant.now();
    lab.rebind(TEAM, epoch);
    LabTeam after = lab.awaitTeamReadyAfter(TEAM, epoch, BOUND);
    awaitAnswers(history, Instant.now());
    List<Exchange> exchanges = history.from(asked);
    StringBuilder line = new StringBuilder();
    Figures.byWay(exchanges)
        .forEach(
            (way, figures) -> {
              add(silences, way.toString(), figures.longestSilence());
              errors += figures.errors();
              line.append(
                  String.format(
                      Locale.ROOT, ", %s %.3f s", way, seconds(figures.longestSilence())));
            });
    wrong += StudentJudge.judge(exchanges).size();
    Recovery move = after.getStatus().recoveries().getFirst();
    Instant diverted = Times.parse(move.detectedAt());
    add(ahead, "made ahead on the new machine", Duration.between(asked, diverted));
    for (StepTime step : move.steps()) {
      if (step.name() != TeamStep.DETECTED) {
        add(steps, NAMES.get(step.name()), Duration.between(diverted, Times.parse(step.at())));
      }
    }
    for (String machine : List.of(move.from(), move.to())) {
      String role = machine.equals(move.to()) ? "new" : "old";
      for (AgentSteps.Span program : AgentSteps.programs(machines.get(machine), asked)) {
        String name = role + ": " + program.what();
        add(programs, name + ", began", program.from().minus(Duration.between(asked, diverted)));
        add(programs, name + ", took", program.took());
      }
    }
    out.printf("%d: %s to %s%s, load %s%n", number, move.from(), move.to(), line, load());
  }

  /** Waits until the student was answered a few times more. */
  private static void awaitAnswers(History history, Instant from) throws InterruptedException {
    history.await(
        from,
        exchanges ->
            exchanges.stream().filter(e -> e.answer() == Exchange.Answer.RIGHT).count() >= 20,
        BOUND);
  }

  private static void add(Map<String, List<Duration>> table, String what, Duration duration) {
    table.computeIfAbsent(what, ignored -> new ArrayList<>()).add(duration);
  }

  private void table(String title, Map<String, List<Duration>> rows) {
    out.printf("%n%s%n%-48s %4s %8s %8s %8s %8s%n", title, "", "n", "min", "p50", "p95", "max");
    rows.forEach(
        (name, all) -> {
          List<Duration> sorted = all.stream().sorted().toList();
          out.printf(
              Locale.ROOT,
              "%-48s %4d %7.3fs %7.3fs %7.3fs %7.3fs%n",
              name,
              sorted.size(),
              seconds(sorted.getFirst()),
              seconds(percentile(sorted, 50)),
              seconds(percentile(sorted, 95)),
              seconds(sorted.getLast()));
        });
  }

  /** The nearest rank. */
  private static Duration percentile(List<Duration> sorted, int percent) {
    return sorted.get((sorted.size() * percent + 99) / 100 - 1);
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }

  private static String load() {
    try {
      return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
    } catch (IOException e) {
      return "unknown";
    }
  }
}
