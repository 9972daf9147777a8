package dev.crowdlab.e2e;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.oracle.Breach;
import dev.crowdlab.oracle.Mark;
import dev.crowdlab.oracle.WriterJudge;
import dev.crowdlab.testbed.LabHost;
import java.util.List;
import java.util.Locale;

/**
 * A program on a team's machine that appends {@link Mark}s to a file of the workspace and tells a
 * collector of each for which one system call returned without an error. It is no shell script: a
 * shell closes a copy of the file with each redirection, and a close saves.
 */
final class SavingProgram {

  /** The call whose return acknowledges a line. */
  enum After {
    WRITE,
    CLOSE,
    FSYNC;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final String SCRIPT =
      """
      use strict; use warnings; use IO::Handle; use IO::Socket::INET;
      my ($path, $epoch, $writer, $host, $port, $after) = @ARGV;
      my $collector = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port) or die "connect: $!";
      my $file;
      for (my $n = 1; ; $n++) {
        my $line = "$epoch $writer $n.\\n";
        open $file, '>>', $path or die "open: $!" if $n == 1 or $after eq 'close';
        (syswrite($file, $line) // 0) == length $line or die "write: $!";
        close $file or die "close: $!" if $after eq 'close';
        $file->sync or die "fsync: $!" if $after eq 'fsync';
        syswrite $collector, $line;
        select undef, undef, undef, 0.002;
      }
      """;

  private final Collector collector;
  private final LabTeam team;
  private final After after;

  private SavingProgram(Collector collector, LabTeam team, After after) {
    this.collector = collector;
    this.team = team;
    this.after = after;
  }

  /** Starts it on the machine that the team is bound to. */
  static SavingProgram start(LabHost machine, LabTeam team, After after, Collector collector) {
    SavingProgram program = new SavingProgram(collector, team, after);
    machine.exec(
        "systemd-run",
        "-q",
        "--collect",
        "perl",
        "-e",
        SCRIPT,
        workspace(team) + "/" + after,
        Long.toString(team.getStatus().binding().epoch()),
        program.writer(),
        collector.address(),
        Integer.toString(collector.port()),
        after.toString());
    return program;
  }

  /** Where a team's workspace is mounted on its machine. */
  static String workspace(LabTeam team) {
    return "/run/crowdlab/teams/%s/%d/workspace"
        .formatted(team.getMetadata().getUid(), team.getStatus().binding().epoch());
  }

  /** Its name in its lines. */
  String writer() {
    return team.getMetadata().getName() + "-" + after;
  }

  After after() {
    return after;
  }

  /** The lines that were acknowledged so far. */
  List<Mark> acknowledged() {
    return collector.of(team.getMetadata().getName()).stream()
        .filter(mark -> mark.writer().equals(writer()))
        .toList();
  }

  /** What the oracle has against its file, as it lies on the file server. */
  List<Breach> breaches(LabHost files) {
    // First what was acknowledged, then what is there: it may go on.
    List<Mark> acknowledged = acknowledged();
    return WriterJudge.judge(content(files), acknowledged);
  }

  /** How many acknowledged lines are not on the file server. */
  long lost(LabHost files) {
    List<Mark> acknowledged = acknowledged();
    List<Mark> there = content(files).lines().flatMap(line -> Mark.parse(line).stream()).toList();
    return acknowledged.size() - there.stream().filter(acknowledged::contains).count();
  }

  private String content(LabHost files) {
    return files.exec("cat", Lab.dataOf(team) + "/" + after);
  }
}
