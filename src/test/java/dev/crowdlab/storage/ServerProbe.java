package dev.crowdlab.storage;

import static org.awaitility.Awaitility.await;

import dev.crowdlab.storage.Workspaces.AdvanceRequest;
import dev.crowdlab.testbed.LabHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Interferes with the file server's processes from outside it, with strace: delays a session's
 * chroot(2), kills the script at a chosen system call.
 */
final class ServerProbe {

  /** The system calls by which an advance changes anything. */
  static final List<String> STEPS =
      List.of(
          "mkdir", "chown", "fchmod", "chmod", "fsync", "rename", "unlink", "umount2", "rmdir",
          "mount", "fcntl", "flock", "kill");

  private final LabHost host;
  private final String pidNamespace;
  private Process strace;

  ServerProbe(LabHost host) {
    this.host = host;
    this.pidNamespace = host.exec("readlink", "/proc/self/ns/pid").strip();
  }

  /** Until the returned handle is closed or {@link #release} is called. */
  AutoCloseableProcess delayChroot(String when, Duration delay) {
    long listener =
        pids()
            .filter(pid -> commandLine(pid).contains("/etc/crowdlab/sshd_config"))
            .findFirst()
            .orElseThrow();
    try {
      strace =
          new ProcessBuilder(
                  "strace",
                  "-f",
                  "-qq",
                  "-o",
                  "/dev/null",
                  "-e",
                  "trace=chroot",
                  "-e",
                  "inject=chroot:%s=%d".formatted(when, TimeUnit.MICROSECONDS.convert(delay)),
                  "-p",
                  Long.toString(listener))
              .inheritIO()
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> !read(Path.of("/proc/" + listener + "/status")).contains("TracerPid:\t0\n"));
    return this::release;
  }

  /** A resource whose closing cannot fail. */
  interface AutoCloseableProcess extends AutoCloseable {
    @Override
    void close();
  }

  void release() {
    strace.destroy();
    try {
      if (!strace.waitFor(10, TimeUnit.SECONDS)) {
        strace.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether a session of the login was authenticated. */
  boolean accepted(String login) {
    return host.shell("journalctl -u crowdlab-sftpd --no-pager -o cat")
        .contains("Accepted publickey for " + login + " ");
  }

  /**
   * Runs the script's advance and kills it when it enters its nth call of one kind.
   *
   * @return false when it made fewer such calls and came to its end
   */
  boolean advanceKilledAt(String systemCall, int nth, AdvanceRequest request) {
    byte[] call =
        new ScriptCall("advance")
            .with("id", request.id())
            .with("epoch", request.epoch())
            .with("vm", request.vm())
            .with("key", String.valueOf(request.key()))
            .with("size", request.sizeBytes())
            .with("bound-ms", 2000)
            .bytes();
    long init = pids().filter(pid -> status(pid).contains("\t1\n")).findFirst().orElseThrow();
    RealFileServer.Ran ran =
        RealFileServer.run(
            new String(call, java.nio.charset.StandardCharsets.US_ASCII),
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=" + systemCall,
            "-e",
            "inject=%s:signal=KILL:when=%d".formatted(systemCall, nth),
            "nsenter",
            "-t",
            Long.toString(init),
            "-m",
            "-u",
            "-i",
            "-n",
            "-p",
            "/usr/local/lib/crowdlab/crowdlab-workspace");
    return !ran.output().endsWith("end\n");
  }

  /** The processes of the host, by their numbers here. */
  private Stream<Long> pids() {
    return ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(pid -> pidNamespace.equals(link(Path.of("/proc/" + pid + "/ns/pid"))));
  }

  private static String link(Path path) {
    try {
      return Files.readSymbolicLink(path).toString();
    } catch (IOException e) {
      return "";
    }
  }

  private static String commandLine(long pid) {
    return read(Path.of("/proc/" + pid + "/cmdline"));
  }

  private static String status(long pid) {
    return read(Path.of("/proc/" + pid + "/status"))
        .lines()
        .filter(line -> line.startsWith("NSpid:"))
        .map(line -> line + "\n")
        .findFirst()
        .orElse("");
  }

  private static String read(Path path) {
    try {
      return Files.readString(path);
    } catch (IOException e) {
      return "";
    }
  }
}
