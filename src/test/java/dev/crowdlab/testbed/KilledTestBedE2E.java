package dev.crowdlab.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.e2e.Lab;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * A JVM that is killed leaves nothing for long, of whatever the test bed starts: the next start
 * ends what it had.
 */
@RequiresTestBed
class KilledTestBedE2E {
  private static final Duration BOUND = Duration.ofMinutes(2);

  /** The JVM that is killed: it says where its things are, then waits for its end. */
  static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) throws IOException {
      TestBed bed = TestBed.ready();
      LabNetwork network = LabNetwork.create(bed);
      LabHost host = network.start("orphan", HostOptions.fileServer("32M"));
      ControlPlane controlPlane = ControlPlane.start(bed);
      IngressBed.start(bed, controlPlane);
      Lab.start(controlPlane, network, "killed");
      System.out.println(network.privateKeyFile().getParent());
      System.out.println(host.address());
      System.in.read();
    }
  }

  @Test
  void theNextStartLeavesNoProcessMountLinkOrNamespaceOfAKilledOne(TestBed bed) throws IOException {
    // given
    Process victim =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                Victim.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String run;
    String work = WorkFolder.prefix(victim.pid());
    String address;
    try (BufferedReader said = victim.inputReader(StandardCharsets.UTF_8)) {
      run = said.readLine();
      address = said.readLine();
      assertThat(traces(run, work, address))
          .hasSizeGreaterThan(5)
          .anyMatch(trace -> trace.contains("envoy"))
          .anyMatch(trace -> trace.contains("crowdlab.jar operator"));

      // when
      victim.destroyForcibly();
      await().atMost(BOUND).until(() -> !victim.isAlive());
    }
    LabNetwork.sweep(bed);
    WorkFolder.create().close();

    // then
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(traces(run, work, address)).isEmpty());
  }

  /**
   * All that names the run, its work folders or its links, wherever the kernel shows such things.
   */
  private static List<String> traces(String run, String work, String address) throws IOException {
    String tag = "clb" + Path.of(run).getFileName();
    return Stream.of(
            matching("links", command("ip", "-o", "link"), tag),
            matching("namespaces", command("ip", "netns"), tag),
            matching("routes", command("ip", "route"), address),
            matching("rules", command("nft", "list", "tables"), tag),
            matching("loops", command("losetup", "-a"), run),
            matching("processes", command("ps", "-eo", "pid,args"), run),
            matching("processes", command("ps", "-eo", "pid,args"), work),
            mounts(run).stream(),
            Stream.of(Path.of(run)).filter(Files::exists).map(Path::toString),
            matching("folders", command("ls", System.getProperty("java.io.tmpdir")), work),
            command(
                "find",
                "/sys/fs/cgroup",
                "-path",
                "*crowdlab-testbed/" + run.replaceAll(".*/", "")))
        .flatMap(lines -> lines)
        .toList();
  }

  private static Stream<String> matching(String kind, Stream<String> lines, String text) {
    return lines
        .filter(line -> line.contains(text))
        .filter(line -> !line.contains(Victim.class.getName()))
        .map(line -> kind + ": " + line);
  }

  /** Mounts of every mount namespace. */
  private static List<String> mounts(String run) throws IOException {
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      return processes
          .map(process -> process.resolve("mountinfo"))
          .filter(file -> contains(file, run))
          .map(Path::toString)
          .toList();
    }
  }

  private static boolean contains(Path file, String text) {
    try {
      return Files.exists(file) && Files.readString(file).contains(text);
    } catch (IOException e) {
      return false; // the process has ended meanwhile
    }
  }

  private static Stream<String> command(String... words) {
    return Command.run(Duration.ofSeconds(10), List.of(words)).output().lines();
  }
}
