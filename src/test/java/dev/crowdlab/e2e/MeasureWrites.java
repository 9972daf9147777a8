package dev.crowdlab.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Writes;
import dev.crowdlab.e2e.SavingProgram.After;
import dev.crowdlab.testbed.Command;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.Relay;
import dev.crowdlab.testbed.TestBed;
import dev.crowdlab.testbed.WorkFolder;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.awaitility.Awaitility;

/**
 * What each way to write to a workspace costs, and what it saves. A measurement, no test: nothing
 * fails because something was slow.
 *
 * <p>The workspaces are those of two teams on one machine, mounted by its agent as always; only
 * that the way to the file server leads through a relay that delays. Programs of this machine write
 * to them, through the machine's own mounts.
 */
public final class MeasureWrites {

  private static final Duration BOUND = Duration.ofSeconds(120);
  private static final Duration LONGEST = Duration.ofMinutes(10);
  private static final Duration STALL = Duration.ofSeconds(2);
  private static final int SFTP_PORT = 2222;

  /**
   * Takes a copy of a mount in another process's mount namespace (open_tree, setns, move_mount; the
   * numbers are Linux's and the same on every architecture but for setns, whose is x86-64's).
   */
  private static final String MOUNT_HERE =
      """
      use strict; use warnings;
      my ($pid, $from, $to) = @ARGV;
      open my $here, '<', '/proc/self/ns/mnt' or die "$!";
      open my $there, '<', "/proc/$pid/ns/mnt" or die "$!";
      my ($current, $clone, $empty, $new_ns, $no_path) = (-100, 1 | 02000000, 4, 0x20000, '');
      syscall(308, fileno $there, $new_ns) == 0 or die "setns: $!";
      (my $tree = syscall(428, $current, $from, $clone)) >= 0 or die "open_tree: $!";
      syscall(308, fileno $here, $new_ns) == 0 or die "setns: $!";
      syscall(429, $tree, $no_path, $current, $to, $empty) == 0 or die "move_mount: $!";
      """;

  private static final int SMALL_FILES = 100;
  private static final int SMALL = 4 << 10;
  private static final int LARGE = 32 << 20;
  private static final int CLONED_FILES = 50;
  private static final int COMMITS = 10;
  private static final int COMPILED_FILES = 12;

  private final PrintStream out = System.out;
  private final Map<Writes, LabTeam> teams = new EnumMap<>(Writes.class);
  private int runs;

  private interface Workload {
    void writeTo(Path folder) throws IOException;
  }

  private MeasureWrites() {}

  /** The argument is the number of repetitions, 3 by default; with 0 only what survives is seen. */
  public static void main(String[] args) throws Exception {
    String words = String.join("", args).strip();
    new MeasureWrites().run(words.isEmpty() ? 3 : Integer.parseInt(words));
  }

  private void run(int times) throws Exception {
    TestBed bed = TestBed.ready();
    try (ControlPlane controlPlane = ControlPlane.start(bed);
        LabNetwork network = LabNetwork.create(bed);
        Lab lab = Lab.start(controlPlane, network, "writes");
        Relay relay =
            new Relay(
                new InetSocketAddress(network.gateway(), 0),
                new InetSocketAddress(lab.fileServer().address(), SFTP_PORT));
        WorkFolder folder = WorkFolder.create()) {
      LabHost machine = Lab.machine(network, "w-one", HostOptions.full().image());
      lab.contribute(machine, machine.name(), 4);
      lab.awaitVmReady(machine.name(), BOUND);
      leadThrough(relay, machine, lab.fileServer());
      for (Writes writes : Writes.values()) {
        start(lab, machine, writes);
      }
      out.printf(
          "%d repetitions, load %s before%n%n%-16s %6s  %-14s %9s %9s%n",
          times, Measure.load(), "workload", "RTT", "writes", "min", "median");
      Map<Writes, Path> mounts = new EnumMap<>(Writes.class);
      try {
        for (Map.Entry<Writes, LabTeam> team : teams.entrySet()) {
          mounts.put(team.getKey(), mountHere(machine, SavingProgram.workspace(team.getValue())));
        }
        Map<String, Workload> workloads = workloads(folder);
        for (int millis : new int[] {0, 5, 30}) {
          relay.delay(Duration.ofMillis(millis).dividedBy(2));
          measure(lab.fileServer(), mounts, workloads, millis, times);
        }
      } finally {
        mounts.values().forEach(MeasureWrites::unmountHere);
      }
      out.printf("%n%-24s %-22s %9s %9s%n", "fault, RTT 30 ms", "lines after", "returned", "lost");
      cut(false, lab, machine, network);
      machine.start();
      lab.awaitVmReady(machine.name(), BOUND);
      leadThrough(relay, machine, lab.fileServer());
      for (Map.Entry<Writes, LabTeam> team : List.copyOf(teams.entrySet())) {
        lab.delete(LabTeam.class, team.getValue().getMetadata().getName(), BOUND);
        start(lab, machine, team.getKey());
      }
      cut(true, lab, machine, network);
    }
  }

  /** From now on the machine reaches the file server's workspaces through the relay. */
  private static void leadThrough(Relay relay, LabHost machine, LabHost files) {
    machine.shell(
        """
        nft -f - <<'END'
        table ip measure {
          chain output {
            type nat hook output priority -100
            ip daddr %s tcp dport %d dnat to %s:%d
          }
        }
        END
        """
            .formatted(
                files.address(),
                SFTP_PORT,
                relay.address().getAddress().getHostAddress(),
                relay.address().getPort()));
  }

  private void start(Lab lab, LabHost machine, Writes writes) {
    String name = writes.toString().toLowerCase(Locale.ROOT);
    lab.apply(
        LabTeam.class,
        lab.teamYaml(name).replace("{size: 64Mi}", "{size: 480Mi, writes: " + writes + "}"));
    LabTeam team = lab.awaitTeamReady(name, BOUND);
    // The mount point was opened for it; what it is told of its place is its ssh's configuration.
    String sshfs =
        machine.shell(
            "ps -eo args | grep '[s]shfs .*/%s/%d/ssh_config'"
                .formatted(team.getMetadata().getUid(), team.getStatus().binding().epoch()));
    if (sshfs.contains("sshfs_sync") != (writes == Writes.SYNCHRONOUS)) {
      throw new IllegalStateException(name + " is mounted otherwise: " + sshfs);
    }
    teams.put(writes, team);
  }

  /** Mounts the workspace here too, as it is mounted on the machine: one mount, two places. */
  private static Path mountHere(LabHost machine, String place) throws IOException {
    Path here = Files.createTempDirectory("crowdlab-measure");
    String mark = UUID.randomUUID().toString();
    machine.exec("systemd-run", "-q", "--collect", "perl", "-e", "sleep", mark);
    long there =
        Awaitility.await()
            .atMost(BOUND)
            .until(
                () ->
                    ProcessHandle.allProcesses()
                        .filter(
                            process ->
                                List.of(process.info().arguments().orElse(new String[0]))
                                    .equals(List.of("-e", "sleep", mark)))
                        .findAny(),
                Optional::isPresent)
            .orElseThrow()
            .pid();
    run("perl", "-e", MOUNT_HERE, Long.toString(there), place, here.toString());
    return here;
  }

  private static void unmountHere(Path here) {
    run("umount", here.toString());
    here.toFile().delete();
  }

  // ---- what survives

  /**
   * The machine's power fails while it writes: at once, or two seconds after its network did, in
   * which nothing that was written can leave it.
   */
  private void cut(boolean stalled, Lab lab, LabHost machine, LabNetwork network)
      throws IOException, InterruptedException {
    try (Collector collector = Collector.at(network.internet())) {
      List<SavingProgram> programs = new ArrayList<>();
      for (LabTeam team : teams.values()) {
        for (After after : After.values()) {
          programs.add(SavingProgram.start(machine, team, after, collector));
        }
      }
      Awaitility.await()
          .atMost(BOUND)
          .until(() -> programs.stream().allMatch(p -> p.acknowledged().size() >= 20));
      if (stalled) {
        machine.cutFrom(lab.gateway());
        Bed.pass(STALL);
      }
      machine.powerCut();
      // What was on its way arrives.
      Bed.pass(STALL);
      for (SavingProgram program : programs) {
        out.printf(
            "%-24s %-22s %9d %9d%n",
            stalled ? "network, then power" : "power",
            program.writer(),
            program.acknowledged().size(),
            program.lost(lab.fileServer()));
      }
    }
  }

  // ---- cost

  private void measure(
      LabHost files,
      Map<Writes, Path> mounts,
      Map<String, Workload> workloads,
      int millis,
      int times)
      throws IOException {
    for (Map.Entry<String, Workload> workload : workloads.entrySet()) {
      Map<Writes, List<Duration>> took = new EnumMap<>(Writes.class);
      for (int i = 0; i < times; i++) {
        for (Map.Entry<Writes, LabTeam> team : teams.entrySet()) {
          String name = "run-" + ++runs;
          String data = Lab.dataOf(team.getValue()) + "/" + name;
          prepare(files, data);
          Path folder = mounts.get(team.getKey()).resolve(name);
          long began = System.nanoTime();
          workload.getValue().writeTo(folder);
          took.computeIfAbsent(team.getKey(), _ -> new ArrayList<>())
              .add(Duration.ofNanos(System.nanoTime() - began));
          // Not through the mount: that would take as long again.
          files.exec("rm", "-rf", data);
        }
      }
      took.forEach(
          (writes, all) -> {
            List<Duration> sorted = all.stream().sorted().toList();
            out.printf(
                Locale.ROOT,
                "%-16s %3d ms  %-14s %8.2fs %8.2fs%n",
                workload.getKey(),
                millis,
                writes,
                sorted.getFirst().toMillis() / 1000.0,
                sorted.get((sorted.size() - 1) / 2).toMillis() / 1000.0);
          });
    }
  }

  /** A folder with the sources of the build. */
  private static void prepare(LabHost files, String folder) {
    files.shell(
        """
        mkdir %1$s
        cd %1$s
        for n in $(seq %2$d); do
          printf '#include <stdio.h>\\nint part%%d(int x) { return printf("%%%%d", x + %%d); }\\n' "$n" "$n" >"part$n.c"
        done
        printf 'int main(void) { return 0; }\\n' >main.c
        printf 'OBJECTS := main.o $(patsubst %%%%,part%%%%.o,$(shell seq %2$d))\\nCFLAGS := -g\\nprogram: $(OBJECTS)\\n\\t$(CC) -o $@ $^\\n' >Makefile
        chown -R --reference=.. .
        """
            .formatted(folder, COMPILED_FILES));
  }

  private static Map<String, Workload> workloads(WorkFolder folder) throws IOException {
    Random random = new Random(7);
    byte[] large = new byte[LARGE];
    random.nextBytes(large);
    Path source = Files.write(folder.resolve("large"), large);
    Path repository = repository(folder.resolve("repository"), random);
    Map<String, Workload> all = new LinkedHashMap<>();
    all.put(
        "small files",
        at -> {
          byte[] content = Arrays.copyOf(large, SMALL);
          for (int i = 0; i < SMALL_FILES; i++) {
            Files.write(at.resolve("small-" + i), content);
          }
        });
    all.put("large file", at -> run("cp", source.toString(), at.resolve("large").toString()));
    all.put(
        "git clone",
        at -> run("git", "clone", "-q", "file://" + repository, at.resolve("clone").toString()));
    all.put("build", at -> run("make", "-s", "-C", at.toString()));
    return all;
  }

  /** Text files in folders, a commit for each part of them. */
  private static Path repository(Path path, Random random) throws IOException {
    run("git", "init", "-q", path.toString());
    for (int commit = 0; commit < COMMITS; commit++) {
      Path folder = Files.createDirectories(path.resolve("part" + commit));
      for (int i = 0; i < CLONED_FILES / COMMITS; i++) {
        StringBuilder text = new StringBuilder();
        while (text.length() < SMALL) {
          text.append(Long.toString(random.nextLong(), 36)).append(i % 5 == 0 ? "\n" : " ");
        }
        Files.writeString(folder.resolve("file" + i), text, UTF_8);
      }
      git(path, "add", ".");
      git(path, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "part");
    }
    return path;
  }

  private static void git(Path repository, String... words) {
    List<String> all = new ArrayList<>(List.of("git", "-C", repository.toString()));
    all.addAll(List.of(words));
    Command.output(LONGEST, all);
  }

  private static void run(String... words) {
    Command.output(LONGEST, List.of(words));
  }
}
