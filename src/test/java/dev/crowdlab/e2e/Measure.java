package dev.crowdlab.e2e;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.StepTime;
import dev.crowdlab.core.Times;
import dev.crowdlab.testbed.Browser;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.IngressBed;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.TestBed;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Creates and recovers a team some times over and prints how long each step took, and what the
 * agent costs its machine. A measurement, no test: nothing fails because something was slow.
 */
public final class Measure {

  private static final Duration BOUND = Duration.ofSeconds(120);
  private static final Duration IDLE = Duration.ofSeconds(60);
  private static final double TICKS_PER_SECOND = 100;

  /** Its machines fail again and again: the time for which they must stay does not grow. */
  private static final String RETURNING = "returning: {stable: 10s, longest: 10s}";

  private final PrintStream out = System.out;
  private final Map<String, List<Duration>> creations = new LinkedHashMap<>();
  private final Map<String, List<Duration>> recoveries = new LinkedHashMap<>();
  private final Map<String, List<Duration>> steps = new LinkedHashMap<>();
  private final Map<String, List<Duration>> programs = new LinkedHashMap<>();

  private Measure() {}

  /** The argument is the number of repetitions, 10 by default. */
  public static void main(String[] args) throws Exception {
    String words = String.join("", args).strip();
    new Measure().run(words.isEmpty() ? 10 : Integer.parseInt(words));
  }

  private void run(int times) throws Exception {
    TestBed bed = TestBed.ready();
    try (ControlPlane controlPlane = ControlPlane.start(bed);
        LabNetwork network = LabNetwork.create(bed);
        IngressBed ingress = IngressBed.start(bed, controlPlane);
        Lab lab = Lab.start(controlPlane, network, "measure", RETURNING);
        Browser student = new Browser(ingress.address())) {
      Map<String, LabHost> machines = new LinkedHashMap<>();
      for (String name : List.of("m-one", "m-two", "m-three")) {
        machines.put(name, Lab.machine(network, name, HostOptions.full().image()));
        AgentSteps.tellAll(machines.get(name));
        lab.contribute(machines.get(name), name, 4);
      }
      for (String name : machines.keySet()) {
        lab.awaitVmReady(name, BOUND);
      }
      out.printf("load before: %s%n", load());
      agent("idle", machines.get("m-one"));
      for (int i = 1; i <= times; i++) {
        once("m-" + i, lab, machines, student);
        out.printf("%d of %d, load %s%n", i, times, load());
      }
      lab.team("m-watched");
      LabTeam team = lab.awaitTeamReady("m-watched", BOUND);
      agent("with a team", machines.get(team.getStatus().binding().vm()));
    }
    table("creation, since the team was first seen", creations);
    table("recovery, since the power cut", recoveries);
    table("the agent's steps, since its order", steps);
    table("the agent's programs: when they began, and how long each took", programs);
  }

  private void once(String name, Lab lab, Map<String, LabHost> machines, Browser student) {
    Instant applied = Instant.now();
    lab.team(name);
    LabTeam team = lab.awaitTeamReady(name, BOUND);
    String url = team.getStatus().url();
    student.untilAnswered(url, BOUND);
    add(creations, "answered (since kubectl apply)", applied, Instant.now());
    Instant seen = Times.parse(team.getStatus().creation().firstSeen());
    for (StepTime step : team.getStatus().creation().steps()) {
      add(creations, step.name().toString(), seen, Times.parse(step.at()));
    }
    student.post(url + "cgi-bin/file?notes.txt", name);

    LabHost machine = machines.get(team.getStatus().binding().vm());
    agentsPart("creation", machine, seen, seen);
    Instant cut = Instant.now();
    machine.powerCut();
    Browser.Page again = student.untilAnswered(url + "cgi-bin/file?notes.txt", BOUND);
    Instant answered = Instant.now();
    if (!again.body().strip().equals(name)) {
      throw new IllegalStateException("the saved file was answered with " + again);
    }
    LabTeam after = lab.awaitTeamReadyAfter(name, team.getStatus().binding().epoch(), BOUND);
    Recovery recovery = after.getStatus().recoveries().getFirst();
    for (StepTime step : recovery.steps()) {
      add(recoveries, step.name().toString(), cut, Times.parse(step.at()));
    }
    add(recoveries, "answered", cut, answered);
    agentsPart(
        "recovery",
        machines.get(after.getStatus().binding().vm()),
        cut,
        Times.parse(recovery.detectedAt()));
    machine.start();
    lab.delete(LabTeam.class, name, BOUND);
    lab.awaitVm(
        machine.name(),
        "back",
        vm -> Lab.isReady(vm.getStatus().conditions()) && machine.succeeds("true"),
        BOUND);
  }

  /** The agent's part of it, in which the programs count from the beginning of the work. */
  private void agentsPart(String of, LabHost machine, Instant since, Instant began) {
    for (AgentSteps.Span step : AgentSteps.steps(machine, since)) {
      add(steps, of + ": " + step.what(), step.took());
    }
    for (AgentSteps.Span program : AgentSteps.programs(machine, since)) {
      String name = of + ": " + program.what();
      add(programs, name + ", began", program.from().minus(Duration.between(since, began)));
      add(programs, name + ", took", program.took());
    }
  }

  /** Resident memory, and processor time over a minute, of the agent's process. */
  private void agent(String when, LabHost machine) throws InterruptedException {
    String pid = machine.shell("systemctl show -p MainPID --value crowdlab-agent").strip();
    long before = ticks(machine, pid);
    var _ = new CountDownLatch(1).await(IDLE.toSeconds(), TimeUnit.SECONDS);
    long used = ticks(machine, pid) - before;
    String rss = machine.shell("awk '/^VmRSS/ {print $2}' /proc/" + pid + "/status").strip();
    out.printf(
        Locale.ROOT,
        "agent, %s: RSS %.1f MiB, %.2f %% of one core over %d s%n",
        when,
        Long.parseLong(rss) / 1024.0,
        100 * used / TICKS_PER_SECOND / IDLE.toSeconds(),
        IDLE.toSeconds());
  }

  private static long ticks(LabHost machine, String pid) {
    String[] fields = machine.shell("cut -d' ' -f14,15 /proc/" + pid + "/stat").strip().split(" ");
    return Long.parseLong(fields[0]) + Long.parseLong(fields[1]);
  }

  private static void add(
      Map<String, List<Duration>> table, String step, Instant from, Instant to) {
    add(table, step, Duration.between(from, to));
  }

  private static void add(Map<String, List<Duration>> table, String step, Duration duration) {
    table.computeIfAbsent(step, ignored -> new ArrayList<>()).add(duration);
  }

  private void table(String title, Map<String, List<Duration>> steps) {
    out.printf("%n%s%n%-48s %4s %8s %8s %8s%n", title, "step", "n", "min", "p50", "max");
    steps.forEach(
        (step, all) -> {
          List<Duration> sorted = all.stream().sorted().toList();
          out.printf(
              Locale.ROOT,
              "%-48s %4d %7.2fs %7.2fs %7.2fs%n",
              step,
              sorted.size(),
              seconds(sorted.getFirst()),
              seconds(sorted.get((sorted.size() - 1) / 2)),
              seconds(sorted.getLast()));
        });
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }

  /** The machine's load average over the last minute. */
  static String load() throws IOException {
    return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
  }
}
