package dev.crowdlab.testbed;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Where the test bed's parts are.
 *
 * @param scripts the folder of its scripts
 * @param kube etcd, kube-apiserver, kube-controller-manager, kubectl
 * @param ingress contour, envoy and Contour's CRDs
 * @param helm the helm program
 * @param image the exercise image as an archive for {@code podman load}
 */
public record TestBed(Path scripts, Path kube, Path ingress, Path helm, Path image) {
  // The control plane's build takes about five minutes of two cores, the rest about four.
  private static final Duration SETUP_BOUND = Duration.ofMinutes(40);

  /**
   * Makes what is missing (which takes minutes the first time) and says where things are.
   *
   * @throws IllegalStateException when that fails; the message has the script's last words
   */
  public static TestBed ready() {
    Path scripts = findScripts();
    Command.output(SETUP_BOUND, List.of(scripts.resolve("setup").toString()));
    String said =
        Command.output(Duration.ofSeconds(10), List.of(scripts.resolve("lab").toString(), "paths"));
    Map<String, Path> paths =
        said.lines()
            .map(line -> line.split("=", 2))
            .collect(Collectors.toMap(pair -> pair[0], pair -> Path.of(pair[1])));
    return new TestBed(
        scripts,
        paths.get("kube"),
        paths.get("ingress"),
        paths.get("helm"),
        paths.get("lab").resolve("images/exercise.tar"));
  }

  /** Why lab hosts cannot run here, if they cannot. */
  static Optional<String> missingForLabHosts() {
    if (!System.getProperty("os.name").equals("Linux")) {
      return Optional.of("lab hosts need Linux");
    }
    if (!"root".equals(System.getProperty("user.name"))) {
      return Optional.of("lab hosts need root");
    }
    return Files.exists(Path.of("/etc/debian_version"))
        ? Optional.empty()
        : Optional.of("lab hosts are set up on Debian only");
  }

  /** Why a control plane cannot run here, if it cannot. */
  static Optional<String> missingForControlPlane() {
    return System.getProperty("os.name").equals("Linux")
        ? Optional.empty()
        : Optional.of("the control plane is built for Linux");
  }

  /** Runs a script of this project that calls helm as {@code $HELM}, and gives what it printed. */
  public String withHelm(Path script, String... words) {
    List<String> command = new ArrayList<>(List.of("env", "HELM=" + helm, script.toString()));
    command.addAll(List.of(words));
    return Command.output(Duration.ofMinutes(1), command);
  }

  String lab(Duration bound, String... words) {
    List<String> command = new ArrayList<>(List.of(scripts.resolve("lab").toString()));
    command.addAll(List.of(words));
    return Command.output(bound, command);
  }

  /** Starts a program that ends with this JVM, also when the JVM is killed. */
  Daemon start(Path log, String... words) {
    // Those of Kubernetes and the ingress are written in Go: the test bed has more memory than
    // processors.
    List<String> command =
        new ArrayList<>(List.of("env", "GOGC=400", scripts.resolve("while-open").toString()));
    command.addAll(List.of(words));
    return Daemon.start(log, command);
  }

  private static Path findScripts() {
    Path relative = Path.of("src/test/testbed");
    for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
      if (Files.isExecutable(folder.resolve(relative).resolve("lab"))) {
        return folder.resolve(relative);
      }
    }
    throw new IllegalStateException("run this in a checkout: %s is not here".formatted(relative));
  }
}
