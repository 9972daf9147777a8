package dev.crowdlab.operator;

import static java.util.Objects.requireNonNullElse;

import dev.crowdlab.core.Times;
import dev.crowdlab.hub.DetectorSettings;
import dev.crowdlab.ssh.Cidr;
import dev.crowdlab.team.TeamSettings;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The operator's configuration, as it stands in the YAML file that {@code operator --config} names.
 * {@link ConfigFile} reads it. Every section but {@code hub} may be left out; what is then missing
 * shows as a condition where it matters, so that an installation can be completed step by step.
 *
 * @param namespace where the operator keeps its own Secrets and its Lease
 * @param installation six characters of {@code a-z2-7} that tell two clusters on one file server
 *     apart; by default derived from the cluster
 * @param detection when a machine or its agent counts as lost; {@link ConfigFile} fills in what is
 *     left out
 */
public record Config(
    String namespace,
    @Nullable String installation,
    Hub hub,
    DetectorSettings detection,
    @Nullable FileServer fileServer,
    Route route,
    WaitingRoom waitingRoom,
    Network network,
    Integrity integrity,
    Returning returning,
    Release release,
    LeaderElection leaderElection,
    Management management) {

  public Config {
    namespace = requireNonNullElse(namespace, "crowdlab-system");
    if (installation != null) {
      check(
          installation.matches("[a-z2-7]{6}"),
          "installation",
          installation,
          "six characters of a-z2-7");
    }
  }

  /**
   * The agents' WebSocket server.
   *
   * @param listen where it listens
   * @param advertise where agents dial it; each host is a name in its certificate
   */
  public record Hub(HostPort listen, List<HostPort> advertise) {
    public Hub {
      listen = requireNonNullElse(listen, new HostPort("0.0.0.0", 8443));
      advertise = advertise == null ? List.of() : List.copyOf(advertise);
      check(
          !advertise.isEmpty(),
          "hub.advertise",
          "",
          "at least one host:port that the machines can dial");
    }
  }

  /**
   * The file server that keeps the workspaces, reached over SSH.
   *
   * @param name stands in the teams' status
   * @param hostKey pinned: a public key line or a SHA256 fingerprint
   * @param credentialsSecret name of a {@code kubernetes.io/ssh-auth} Secret in the operator's
   *     namespace
   * @param sftpPort the port of the sshd for workspaces
   * @param dataDirectory where workspaces lie, on a file system with user quota if sizes shall be
   *     enforced
   * @param retention how long a deleted team's data is kept
   */
  public record FileServer(
      String name,
      String host,
      Integer port,
      String user,
      @Nullable Boolean sudo,
      String hostKey,
      String credentialsSecret,
      Integer sftpPort,
      String dataDirectory,
      Duration retention) {
    public FileServer {
      name = requireNonNullElse(name, "files");
      port = requireNonNullElse(port, 22);
      user = requireNonNullElse(user, "root");
      sftpPort = requireNonNullElse(sftpPort, 2222);
      dataDirectory = requireNonNullElse(dataDirectory, "/srv/crowdlab");
      retention = requireNonNullElse(retention, Duration.ofDays(7));
      check(host != null, "fileServer.host", "", "the file server's name or address");
      check(
          hostKey != null,
          "fileServer.hostKey",
          "",
          "its public host key or SHA256 fingerprint: an unknown server is not trusted");
      check(
          credentialsSecret != null,
          "fileServer.credentialsSecret",
          "",
          "a kubernetes.io/ssh-auth Secret in the operator's namespace");
      checkPort("fileServer.port", port);
      checkPort("fileServer.sftpPort", sftpPort);
      check(
          dataDirectory.startsWith("/") && !dataDirectory.contains(".."),
          "fileServer.dataDirectory",
          dataDirectory,
          "an absolute path");
    }

    public boolean usesSudo() {
      return sudo != null ? sudo : !user.equals("root");
    }
  }

  /**
   * How students reach exercises.
   *
   * @param sources CIDRs that the exercises' ports accept: the ingress's addresses as a machine
   *     sees them, and the operator's for the waiting room
   * @param allowedAnnotations keys that {@code spec.access.annotations} may carry
   * @param firstPort first port on a machine for exercises
   * @param lastPort last one
   * @param ingressDelay how long an ingress takes to obey a route that was changed: for so long a
   *     planned move has the old run go on after its students were sent to the waiting room
   */
  public record Route(
      List<String> sources,
      Set<String> allowedAnnotations,
      Integer firstPort,
      Integer lastPort,
      Duration ingressDelay) {

    private static final Duration LONGEST_INGRESS_DELAY = Duration.ofSeconds(10);

    public Route {
      sources = blocks("route.sources", sources);
      allowedAnnotations = allowedAnnotations == null ? Set.of() : Set.copyOf(allowedAnnotations);
      firstPort = requireNonNullElse(firstPort, 20_000);
      lastPort = requireNonNullElse(lastPort, 29_999);
      checkPort("route.firstPort", firstPort);
      checkPort("route.lastPort", lastPort);
      check(
          lastPort - firstPort >= 299,
          "route.lastPort",
          lastPort,
          "at least 299 above route.firstPort, so that ports need not be reused within ten"
              + " minutes");
      ingressDelay = requireNonNullElse(ingressDelay, TeamSettings.Bounds.DEFAULT.ingress());
      check(
          !ingressDelay.isNegative() && ingressDelay.compareTo(LONGEST_INGRESS_DELAY) <= 0,
          "route.ingressDelay",
          Times.formatDuration(ingressDelay),
          "in 0s..10s: students wait for as long at each planned move");
    }
  }

  /**
   * Where requests wait between machines.
   *
   * @param advertise the address and port that EndpointSlices name; left out: there is no waiting
   *     room
   * @param hold how long a request is held before the page or a 503
   */
  public record WaitingRoom(
      HostPort listen, @Nullable HostPort advertise, Duration hold, Integer maxHeld) {
    public WaitingRoom {
      listen = requireNonNullElse(listen, new HostPort("0.0.0.0", 8090));
      hold = requireNonNullElse(hold, Duration.ofSeconds(5));
      maxHeld = requireNonNullElse(maxHeld, 1_000);
      check(maxHeld > 0, "waitingRoom.maxHeld", maxHeld, "above zero");
    }
  }

  /**
   * Which addresses may be dialled over SSH. Loopback, link-local, multicast, unspecified and
   * metadata addresses are always refused unless allowed here, and for machines so are the
   * cluster's Service and node addresses, which the operator learns by itself.
   *
   * @param allow CIDRs that are dialled whatever the other rules say
   * @param deny CIDRs that are refused besides: the cluster's pods, what else is nobody's business
   */
  public record Network(List<String> allow, List<String> deny) {
    public Network {
      allow = blocks("network.allow", allow);
      deny = blocks("network.deny", deny);
    }
  }

  /**
   * What no spec can lower.
   *
   * @param quarantine whether every violation quarantines, also where a spec says Report
   * @param reverify time between verifications over SSH
   */
  public record Integrity(Boolean quarantine, Duration reverify) {
    public Integrity {
      quarantine = requireNonNullElse(quarantine, false);
      reverify = requireNonNullElse(reverify, Duration.ofHours(1));
    }
  }

  /**
   * When a machine that was lost carries teams again: once its agent has been connected for a
   * while.
   *
   * @param stable that while after one loss; it doubles with each further one
   * @param longest what it grows to at most
   * @param forgive for each of these times that the machine stays, one loss is forgiven
   */
  public record Returning(Duration stable, Duration longest, Duration forgive) {
    public Returning {
      stable = requireNonNullElse(stable, Duration.ofSeconds(10));
      longest = requireNonNullElse(longest, Duration.ofMinutes(10));
      forgive = requireNonNullElse(forgive, Duration.ofHours(1));
      check(
          longest.compareTo(stable) >= 0,
          "returning.longest",
          Times.formatDuration(longest),
          "at least returning.stable");
      check(forgive.isPositive(), "returning.forgive", Times.formatDuration(forgive), "above zero");
    }
  }

  /**
   * How long a deleted ContributedVM may take to go.
   *
   * @param drainBound for its teams to move to other machines; those that find no room are stopped
   *     then
   * @param cleanupBound for all of it; then the machine is given up with an event
   */
  public record Release(Duration drainBound, Duration cleanupBound) {
    public Release {
      drainBound = requireNonNullElse(drainBound, Duration.ofMinutes(2));
      cleanupBound = requireNonNullElse(cleanupBound, Duration.ofMinutes(5));
      check(
          cleanupBound.compareTo(drainBound) > 0,
          "release.cleanupBound",
          Times.formatDuration(cleanupBound),
          "longer than release.drainBound, so that a drained machine can be cleaned");
    }
  }

  /** Whether replicas elect a leader; without it exactly one operator may run. */
  public record LeaderElection(Boolean enabled, String leaseName) {
    public LeaderElection {
      enabled = requireNonNullElse(enabled, false);
      leaseName = requireNonNullElse(leaseName, "crowdlab-operator");
    }
  }

  /** Where health and metrics are served. */
  public record Management(HostPort listen) {
    public Management {
      listen = requireNonNullElse(listen, new HostPort("127.0.0.1", 8080));
    }
  }

  private static List<String> blocks(String field, @Nullable List<String> blocks) {
    List<String> given = blocks == null ? List.of() : List.copyOf(blocks);
    for (String block : given) {
      check(isBlock(block), field, block, "a block of addresses such as 10.1.0.0/16");
    }
    return given;
  }

  private static boolean isBlock(String text) {
    try {
      Cidr.parse(text);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static void checkPort(String field, int port) {
    check(port >= 1 && port <= 65535, field, port, "a port in 1..65535");
  }

  private static void check(boolean holds, String field, Object value, String remedy) {
    if (!holds) {
      throw new IllegalArgumentException(field + " is '" + value + "', but must be " + remedy);
    }
  }
}
