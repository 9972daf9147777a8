package dev.crowdlab.e2e;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamStatus;
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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The whole story on this machine: a lab is built, a student works, the machine's power fails, the
 * student goes on working on another one. Everything is real; nothing is left behind.
 */
public final class Demo {

  private static final Path SAMPLES = Path.of("manifests/samples");
  private static final Duration BOUND = Duration.ofSeconds(120);

  private final PrintStream out = System.out;
  private final Instant began = Instant.now();
  private final boolean keep;

  private Demo(boolean keep) {
    this.keep = keep;
  }

  /** {@code --keep} leaves the lab running until Enter is pressed. */
  public static void main(String[] args) throws IOException {
    Set<String> words =
        Arrays.stream(String.join(" ", args).split(" "))
            .filter(word -> !word.isEmpty())
            .collect(Collectors.toUnmodifiableSet());
    if (!Set.of("--keep").containsAll(words)) {
      System.err.println("usage: demo [--keep]");
      System.exit(2);
    }
    new Demo(words.contains("--keep")).run();
  }

  private void run() throws IOException {
    TestBed bed = TestBed.ready();
    say("control plane: etcd, kube-apiserver, kube-controller-manager");
    try (ControlPlane controlPlane = ControlPlane.start(bed);
        LabNetwork network = LabNetwork.create(bed)) {
      say("ingress: Contour and Envoy");
      try (IngressBed ingress = IngressBed.start(bed, controlPlane)) {
        say("file server and operator");
        try (Lab lab = Lab.start(controlPlane, network, "lab");
            Browser student = new Browser(ingress.address())) {
          List<LabHost> machines = new ArrayList<>();
          for (String name : List.of("alice-1", "bob-1", "carol-1")) {
            say("machine " + name);
            machines.add(Lab.machine(network, name, HostOptions.full().image()));
          }
          try {
            story(controlPlane, lab, machines, student);
          } catch (IOException | RuntimeException | AssertionError e) {
            say("the demo failed: " + e.getMessage());
            keepOpen(controlPlane, ingress, lab);
            throw e;
          }
          keepOpen(controlPlane, ingress, lab);
        }
      }
    }
    say("everything is stopped and removed");
  }

  private void story(ControlPlane controlPlane, Lab lab, List<LabHost> machines, Browser student)
      throws IOException {
    for (LabHost machine : machines) {
      lab.secret(lab.namespace(), machine.name() + "-ssh", machine.privateKey());
      apply(controlPlane, machine);
    }
    for (LabHost machine : machines) {
      ContributedVM ready = lab.awaitVmReady(machine.name(), BOUND);
      say(
          "%s is Ready: %s"
              .formatted(
                  machine.name(),
                  String.join(
                      ", ",
                      ready.getStatus().timings().stream()
                          .map(t -> t.step() + " " + t.duration())
                          .toList())));
    }
    say("a team: kubectl apply -f manifests/samples/labteam.yaml");
    out.print(controlPlane.kubectl("apply", "-f", SAMPLES.resolve("labteam.yaml").toString()));
    LabTeam team = lab.awaitTeamReady("team-7", BOUND);
    out.print(controlPlane.kubectl("get", "cvm,lt", "-n", lab.namespace()));

    String url = team.getStatus().url();
    say("the student opens " + url + " through the ingress");
    Browser.Page page = student.get(url + "cgi-bin/index.cgi");
    check(page.status() == 200, "the student's page", page);
    String work = "Saved at " + Instant.now();
    Browser.Page saved = student.post(url + "cgi-bin/file?notes.txt", work);
    check(saved.status() / 100 == 2, "saving a file", saved);
    say("the student saved notes.txt: \"" + work + "\"");

    Binding before = team.getStatus().binding();
    LabHost machine =
        machines.stream().filter(m -> m.name().equals(before.vm())).findFirst().orElseThrow();
    Instant cut = Instant.now();
    machine.powerCut();
    say("the power of " + machine.name() + " fails; the student reads notes.txt again");
    Browser.Page again = student.untilAnswered(url + "cgi-bin/file?notes.txt", BOUND);
    Duration outage = Duration.between(cut, Instant.now());
    check(again.body().strip().equals(work), "the saved file", again);
    LabTeam recovered = lab.awaitTeamReadyAfter("team-7", before.epoch(), BOUND);
    say(
        "%s answers after %s with the same bytes"
            .formatted(recovered.getStatus().binding().vm(), Times.formatDuration(outage)));
    table(recovered.getStatus(), cut, outage);
    out.print(controlPlane.kubectl("get", "cvm,lt", "-n", lab.namespace()));
  }

  /** Applies the sample with this machine's name, address and host key put in. */
  private void apply(ControlPlane controlPlane, LabHost machine) throws IOException {
    String sample = Files.readString(SAMPLES.resolve("contributedvm.yaml"), StandardCharsets.UTF_8);
    String contributor = machine.name().substring(0, machine.name().indexOf('-'));
    String yaml = sample;
    for (Map.Entry<String, String> line :
        Map.of(
                "  name: alice-1", "  name: " + machine.name(),
                "    name: Alice", "    name: " + contributor,
                "    contact: alice@example.org",
                    "    contact: %s@example.org".formatted(contributor),
                "    host: 10.77.1.2", "    host: " + machine.address(),
                "    # hostKey: ssh-ed25519 AAAA...", "    hostKey: " + machine.hostKey("ed25519"),
                "      name: alice-1-ssh", "      name: %s-ssh".formatted(machine.name()))
            .entrySet()) {
      yaml = replaced(yaml, line.getKey(), line.getValue());
    }
    Path file = Files.createTempFile("crowdlab-", ".yaml");
    try {
      Files.writeString(file, yaml);
      out.print(controlPlane.kubectl("apply", "-f", file.toString()));
    } finally {
      Files.delete(file);
    }
  }

  /** A line that the sample no longer has would leave this machine with another one's data. */
  private static String replaced(String yaml, String line, String by) {
    String whole = "\n" + line + "\n";
    if (!yaml.contains(whole)) {
      throw new IllegalStateException("the sample has no line \"%s\"".formatted(line));
    }
    return yaml.replace(whole, "\n" + by + "\n");
  }

  private void table(LabTeamStatus status, Instant cut, Duration outage) {
    out.printf("%n%-12s %14s %14s%n", "step", "creation", "recovery");
    Recovery recovery = status.recoveries().getFirst();
    Instant created = Times.parse(status.creation().firstSeen());
    for (StepTime step : status.creation().steps()) {
      String after =
          recovery.steps().stream()
              .filter(other -> other.name() == step.name())
              .map(other -> since(cut, other))
              .findFirst()
              .orElse("-");
      out.printf("%-12s %14s %14s%n", step.name(), since(created, step), after);
    }
    out.printf(
        "%-12s %14s %14s   (from the power cut to Ready)%n",
        "Ready", status.creation().duration(), sinceLast(cut, recovery));
    out.printf(
        "%-12s %14s %14s   (from the power cut to the student's answer)%n%n",
        "answered", "", Times.formatDuration(outage));
  }

  private static String sinceLast(Instant start, Recovery recovery) {
    return recovery.steps().isEmpty() ? "-" : since(start, recovery.steps().getLast());
  }

  private static String since(Instant start, StepTime step) {
    return Times.formatDuration(Duration.between(start, Times.parse(step.at())));
  }

  private void keepOpen(ControlPlane controlPlane, IngressBed ingress, Lab lab) throws IOException {
    if (!keep) {
      return;
    }
    out.printf(
        """

        The lab goes on running. Look around from another shell:
          export KUBECONFIG=%s PATH="%s:$PATH"
          kubectl get cvm,lt -n lab -o wide
          kubectl describe lt -n lab team-7
          kubectl get events.events.k8s.io -n lab
          curl --resolve team-7.lab.example.org:%d:%s 'http://team-7.lab.example.org:%d/cgi-bin/file?notes.txt'
          less %s
        Press Enter to end it. After Ctrl-C, the next start removes what is left, or: src/test/testbed/lab sweep
        """,
        controlPlane.kubeconfig(),
        controlPlane.binaries(),
        ingress.address().getPort(),
        ingress.address().getAddress().getHostAddress(),
        ingress.address().getPort(),
        lab.operatorLog());
    if (System.in.read() < 0) {
      say("standard input is closed: ending now");
    }
  }

  private void check(boolean holds, String what, Browser.Page page) {
    if (!holds) {
      throw new IllegalStateException(what + " was answered with " + page);
    }
  }

  private void say(String text) {
    Duration since = Duration.between(began, Instant.now());
    out.printf(Locale.ROOT, "%6.1fs  %s%n", since.toMillis() / 1000.0, text);
  }
}
