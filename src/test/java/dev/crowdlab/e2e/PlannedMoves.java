package dev.crowdlab.e2e;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Names;
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
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Moves a team from machine to machine as a person asks for it, while a student's client asks for a
 * page without a pause, and prints for how long it had no answer. A measurement, no test.
 */
public final class PlannedMoves {

  private static final Duration BOUND = Duration.ofSeconds(120);

  private final PrintStream out = System.out;
  private final List<Duration> waits = new ArrayList<>();
  private final Map<String, List<Duration>> steps = new LinkedHashMap<>();

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
        Lab lab = Lab.start(controlPlane, network, "moves");
        Browser student = new Browser(ingress.address())) {
      Map<String, LabHost> machines = new LinkedHashMap<>();
      for (String name : List.of("p-one", "p-two")) {
        machines.put(name, Lab.machine(network, name, HostOptions.full().image()));
        lab.contribute(machines.get(name), name, 4);
      }
      for (String name : machines.keySet()) {
        lab.awaitVmReady(name, BOUND);
      }
      lab.team("mover");
      String url = lab.awaitTeamReady("mover", BOUND).getStatus().url();
      student.untilAnswered(url, BOUND);
      out.printf("load before: %s%n", load());
      int refused = 0;
      try (Visitor visitor = Visitor.start(student, url)) {
        for (int i = 1; i <= times; i++) {
          refused += once(lab, visitor, i);
        }
      }
      for (LabHost machine : machines.values()) {
        out.print(machine.shell("journalctl -u crowdlab-agent --no-pager | grep healthy || true"));
      }
      table(refused);
      Files.copy(
          lab.operatorLog(),
          Path.of("target", "planned-moves.log"),
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private int once(Lab lab, Visitor visitor, int number) throws Exception {
    visitor.awaitMore(20, BOUND);
    LabTeam before = lab.teamNow("mover");
    long epoch = before.getStatus().binding().epoch();
    visitor.begin();
    Instant asked = Instant.now();
    lab.client()
        .resources(LabTeam.class)
        .inNamespace(lab.namespace())
        .withName("mover")
        .edit(
            team -> {
              Map<String, String> annotations =
                  new LinkedHashMap<>(
                      team.getMetadata().getAnnotations() == null
                          ? Map.of()
                          : team.getMetadata().getAnnotations());
              annotations.put(Names.REBIND, Long.toString(epoch));
              team.getMetadata().setAnnotations(annotations);
              return team;
            });
    LabTeam after = lab.awaitTeamReadyAfter("mover", epoch, BOUND);
    visitor.awaitMore(20, BOUND);
    Duration wait = visitor.longestWait();
    waits.add(wait);
    Recovery move = after.getStatus().recoveries().getFirst();
    for (StepTime step : move.steps()) {
      steps
          .computeIfAbsent(step.name().toString(), ignored -> new ArrayList<>())
          .add(Duration.between(asked, Times.parse(step.at())));
    }
    out.printf(
        Locale.ROOT,
        "%d: %s to %s, %.2f s without an answer, load %s%n",
        number,
        move.from(),
        move.to(),
        seconds(wait),
        load());
    return visitor.refused();
  }

  private void table(int refused) {
    out.printf("%n%-32s %4s %8s %8s %8s%n", "planned move", "n", "min", "p50", "max");
    steps.forEach((step, all) -> row("asked to " + step, all));
    row("without an answer", waits);
    out.printf("requests that were answered with an error: %d%n", refused);
  }

  private void row(String name, List<Duration> all) {
    List<Duration> sorted = all.stream().sorted().toList();
    out.printf(
        Locale.ROOT,
        "%-32s %4d %7.2fs %7.2fs %7.2fs%n",
        name,
        sorted.size(),
        seconds(sorted.getFirst()),
        seconds(sorted.get((sorted.size() - 1) / 2)),
        seconds(sorted.getLast()));
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }

  private static String load() throws IOException {
    return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
  }
}
