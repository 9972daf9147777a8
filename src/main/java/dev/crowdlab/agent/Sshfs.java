package dev.crowdlab.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.crowdlab.agent.Commands.Command;
import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.protocol.ToAgent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Logger;

/**
 * Workspaces over SSHFS.
 *
 * <p>Each sshfs runs in a systemd scope of its own, so that it outlives a restart of the agent, and
 * with the rights of an unprivileged user: mount.fuse3 opens the device and mounts, and hands over.
 * So a bug in sshfs is not root's, and the price is that a failed or ended sshfs leaves its mount
 * behind, which we take away. It never reconnects: a broken connection ends the mount for good, and
 * what was in flight fails instead of being lost in silence.
 *
 * <p>All files show as root's, and the file server alone decides about access: its one login per
 * workspace owns everything there, so owners would mean nothing here. What is cached is safe, as an
 * epoch has one mount and each epoch mounts anew.
 */
final class Sshfs implements Mounts {

  private static final Logger LOG = Logger.getLogger(Sshfs.class.getName());
  private static final Duration ATTACH = Duration.ofSeconds(15);
  private static final Duration UMOUNT = Duration.ofSeconds(10);
  private static final Duration PROBE_WAIT = Duration.ofMillis(500);
  private static final Duration HUNG_AFTER = Duration.ofSeconds(8);
  private static final Duration SETTLE = Duration.ofMillis(1_500);
  private static final String SCOPE = "crowdlab-workspace";
  private static final Path FUSE_CONNECTIONS = Path.of("/sys/fs/fuse/connections");
  private static final Duration ASK = Duration.ofSeconds(5);

  private final Commands commands;
  private final Executor executor;
  private final Path teamsDir;
  private final Path key;
  private final Optional<String> user;
  private final String keyExchange;
  private final Map<Place, Probe> probes = new ConcurrentHashMap<>();

  private record Probe(CompletableFuture<Health> answer, long began) {}

  /**
   * @param executor for what may block for as long as a mount hangs: one task per mount
   * @param user whose rights sshfs gets; empty: root's
   */
  Sshfs(Commands commands, Executor executor, Path teamsDir, Path key, Optional<String> user) {
    this.commands = commands;
    this.executor = executor;
    this.teamsDir = teamsDir;
    this.key = key;
    this.user = user;
    this.keyExchange = keyExchange(commands);
  }

  /**
   * The key exchanges to try before ssh's others. The one that older versions prefer takes a
   * twentieth of a second of computing at each mount.
   */
  private static String keyExchange(Commands commands) {
    String known = commands.run(Command.of(ASK, "ssh", "-Q", "kex")).out();
    String hybrid = "mlkem768x25519-sha256";
    return (known.lines().anyMatch(hybrid::equals) ? hybrid + "," : "") + "curve25519-sha256";
  }

  @Override
  public Path prepare(Place place) throws IOException {
    Durable.folder(folder(place), true);
    return Files.createDirectories(path(place));
  }

  private Path path(Place place) {
    return folder(place).resolve("workspace");
  }

  private Path folder(Place place) {
    return teamsDir.resolve(place.teamUid()).resolve(Long.toString(place.epoch()));
  }

  private Path sshConfigFile(Place place) {
    return folder(place).resolve("ssh_config");
  }

  /** What is said about a mount while it is made. */
  private Path said(Place place) {
    return folder(place).resolve("said");
  }

  private Path knownHosts(Place place) {
    return folder(place).resolve("known_hosts");
  }

  @Override
  public Attach attach(Place place, ToAgent.Mount mount, CompletableFuture<Void> cancel) {
    if (mounted(place).isPresent()) {
      Health health = health(place);
      if (health == Health.ALIVE || health == Health.FULL) {
        return new Attach.Attached();
      }
      if (!takeAway(place)) {
        return new Attach.Unreachable("the mount of an earlier attempt cannot be removed");
      }
    }
    try {
      prepare(place);
      writeSshFiles(place, mount);
    } catch (IOException e) {
      return new Attach.Unfit("the mount's folder cannot be made: " + e.getMessage());
    }
    Result result =
        commands.run(
            Command.of(ATTACH, mountWords(place, mount))
                .cancelledBy(cancel)
                .sayingInto(said(place)));
    if (result.ok()) {
      probes.remove(place);
      return new Attach.Attached();
    }
    takeAway(place);
    return classify(result);
  }

  private List<String> mountWords(Place place, ToAgent.Mount mount) {
    List<String> options = new ArrayList<>();
    options.addAll(List.of("rw", "nosuid", "nodev", "allow_other", "uid=0", "gid=0"));
    options.add("fsname=crowdlab-workspace");
    // Without it sshfs keeps what ssh says about a failure to itself.
    options.add("sshfs_verbose");
    // Pages stay at an open. By default they are dropped: one may come back without the line that
    // another program is just appending, and show NUL bytes in its place.
    options.add("kernel_cache");
    options.add("ssh_command=ssh -F " + sshConfigFile(place));
    if (mount.synchronous()) {
      options.add("sshfs_sync");
    }
    user.ifPresent(name -> options.addAll(List.of("setuid=" + name, "drop_privileges")));
    return List.of(
        "systemd-run",
        "--scope",
        "--quiet",
        "--collect",
        // An earlier attempt's scope may still be on its way out.
        "--unit=%s-%s-%d-%x".formatted(SCOPE, place.teamUid(), place.epoch(), System.nanoTime()),
        // When the machine is shut down, the agent sees to its teams first.
        "--property=Before=crowdlab-agent.service",
        "mount.fuse3",
        "sshfs#" + mount.login() + "@" + host(mount) + ":" + dataPath(mount),
        path(place).toString(),
        "-o",
        String.join(",", options));
  }

  /**
   * ssh's whole configuration: what the VM's owner configured for ssh does not concern us. That ssh
   * gives up by itself, after 80 s of silence, is for a VM whose agent is away: the agent judges
   * sooner, and by more.
   */
  private String sshConfig(Place place, ToAgent.Mount mount) {
    return """
    Port %d
    User %s
    IdentityFile %s
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile %s
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    UpdateHostKeys no
    CheckHostIP no
    BatchMode yes
    PreferredAuthentications publickey
    ForwardAgent no
    ForwardX11 no
    ControlMaster no
    KexAlgorithms ^%s
    ConnectTimeout 5
    ConnectionAttempts 1
    ServerAliveInterval 20
    ServerAliveCountMax 3
    """
        .formatted(mount.port(), mount.login(), key, knownHosts(place), keyExchange);
  }

  @Override
  public Attach login(Place place, ToAgent.Mount mount, CompletableFuture<Void> cancel) {
    List<String> words = new ArrayList<>();
    user.ifPresent(
        name ->
            words.addAll(
                List.of("setpriv", "--reuid=" + name, "--regid=" + name, "--clear-groups")));
    words.addAll(List.of("ssh", "-F", sshConfigFile(place).toString(), "-T"));
    words.addAll(List.of("-s", mount.address(), "sftp"));
    try {
      writeSshFiles(place, mount);
    } catch (IOException e) {
      return new Attach.Unfit("the mount's folder cannot be written: " + e.getMessage());
    }
    Result result = commands.run(Command.of(ATTACH, words).cancelledBy(cancel));
    return result.ok() ? new Attach.Attached() : classify(result);
  }

  private void writeSshFiles(Place place, ToAgent.Mount mount) throws IOException {
    String name =
        mount.port() == 22 ? mount.address() : "[" + mount.address() + "]:" + mount.port();
    writeForAll(knownHosts(place), name + " " + mount.hostKey() + "\n");
    writeForAll(sshConfigFile(place), sshConfig(place, mount));
  }

  /** Whatever the umask: ssh reads them without root's rights. */
  private static void writeForAll(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
  }

  private static Attach classify(Result result) {
    String said = result.out() + result.err();
    if (result.exit() == Result.NOT_STARTED) {
      return new Attach.Unfit("systemd-run or ssh is missing");
    }
    if (said.contains("Permission denied (")) {
      return new Attach.Refused("the file server refused this epoch's login");
    }
    if (said.contains("Host key verification failed")) {
      return new Attach.Distrusted(
          "the file server presented another host key than the pinned one");
    }
    if (said.contains("/dev/fuse") || said.contains("mount.fuse3: not found")) {
      return new Attach.Unfit("sshfs, mount.fuse3 or /dev/fuse is missing");
    }
    return new Attach.Unreachable("the workspace could not be mounted: " + result.reason());
  }

  @Override
  public Health health(Place place) {
    Probe probe = probes.computeIfAbsent(place, this::probe);
    try {
      Health health = probe.answer().get(PROBE_WAIT.toMillis(), TimeUnit.MILLISECONDS);
      probes.remove(place, probe);
      return health;
    } catch (TimeoutException e) {
      return System.nanoTime() - probe.began() > HUNG_AFTER.toNanos() ? Health.HUNG : Health.SLOW;
    } catch (ExecutionException e) {
      probes.remove(place, probe);
      return Health.DEAD;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Health.SLOW;
    }
  }

  /** Asks the file system, on a thread that may wait for as long as the file server is silent. */
  private Probe probe(Place place) {
    return new Probe(CompletableFuture.supplyAsync(() -> ask(place), executor), System.nanoTime());
  }

  private Health ask(Place place) {
    if (mounted(place).isEmpty()) {
      return Health.DEAD;
    }
    var root = path(place).toFile();
    // Zero is how java.io.File tells an error.
    if (root.getTotalSpace() == 0) {
      return Health.DEAD;
    }
    return root.getUsableSpace() == 0 ? Health.FULL : Health.ALIVE;
  }

  /**
   * {@inheritDoc}
   *
   * <p>Closing a file waits for its writes, but what a process left in a mapped file is handed over
   * later. One connection carries it all, and OpenSSH's SFTP server does one thing after the other:
   * its answer to a question that is asked now, and that sshfs never answers from a cache, follows
   * everything that was written.
   */
  @Override
  public boolean settle(Place place) {
    CompletableFuture<Health> answer =
        CompletableFuture.supplyAsync(() -> ask(place), executor)
            .completeOnTimeout(Health.SLOW, SETTLE.toMillis(), TimeUnit.MILLISECONDS);
    return switch (answer.join()) {
      case ALIVE, FULL -> unmount(place);
      case SLOW, HUNG, DEAD -> false;
    };
  }

  @Override
  public void abort(Place place) {
    mounted(place)
        .ifPresent(
            device -> {
              try {
                Files.writeString(
                    FUSE_CONNECTIONS.resolve(Integer.toString(device)).resolve("abort"),
                    "1",
                    UTF_8);
              } catch (IOException e) {
                LOG.fine("no fusectl for " + place + ": killing sshfs does the same");
              }
            });
    processes(place).forEach(ProcessHandle::destroyForcibly);
  }

  @Override
  public boolean detach(Place place) {
    if (!takeAway(place)) {
      return false;
    }
    for (Path leftover :
        List.of(path(place), knownHosts(place), sshConfigFile(place), said(place))) {
      // Never more than these, and a folder only when it is empty: it is not a mount any more.
      leftover.toFile().delete();
    }
    return true;
  }

  /** Ends the mount, and leaves its folder. */
  private boolean takeAway(Place place) {
    boolean unmounted = unmount(place);
    if (!unmounted) {
      abort(place);
      unmounted = unmount(place);
    }
    if (!unmounted) {
      LOG.warning("the workspace of " + place + " cannot be unmounted");
      return false;
    }
    processes(place).forEach(ProcessHandle::destroyForcibly);
    probes.remove(place);
    return true;
  }

  private boolean unmount(Place place) {
    // Two mounts may lie on each other after an attempt that was cut short.
    for (int i = 0; i < 3 && mounted(place).isPresent(); i++) {
      commands.run(Command.of(UMOUNT, "umount", "--no-canonicalize", "-i", path(place).toString()));
    }
    return mounted(place).isEmpty();
  }

  /** sshfs and its ssh: both are told the path of the mount's own configuration. */
  private List<ProcessHandle> processes(Place place) {
    String mark = sshConfigFile(place).toString();
    return ProcessHandle.allProcesses()
        .filter(
            process ->
                process.info().arguments().stream()
                    .flatMap(Arrays::stream)
                    .anyMatch(argument -> argument.contains(mark)))
        .toList();
  }

  /** The minor device number of the mount: its name in fusectl. */
  private Optional<Integer> mounted(Place place) {
    try {
      return device(Files.readString(Path.of("/proc/self/mountinfo")), path(place));
    } catch (IOException e) {
      throw new IllegalStateException("/proc/self/mountinfo cannot be read", e);
    }
  }

  /** Finds a mount point in the text of mountinfo, the last of several on one path. */
  static Optional<Integer> device(String mountinfo, Path path) {
    return MountTable.deviceIn(mountinfo, path.toString())
        .map(device -> Integer.valueOf(device.substring(device.indexOf(':') + 1)));
  }

  private static String host(ToAgent.Mount mount) {
    return mount.address().contains(":") ? "[" + mount.address() + "]" : mount.address();
  }

  private static String dataPath(ToAgent.Mount mount) {
    return mount.path().startsWith("/") ? mount.path() : "/" + mount.path();
  }
}
