package dev.crowdlab.agent;

import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.FromAgent.Notice;
import dev.crowdlab.protocol.FromAgent.TeamReport;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.ToAgent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Logger;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** The agent's parts, put together, from start to end. */
final class Agent implements HubClient.Duties, ControlServer.Desk, AutoCloseable {

  private static final Logger LOG = Logger.getLogger(Agent.class.getName());

  /** Where conmon tells that a container ended: podman's own default for root. */
  private static final Path EXITS = Path.of("/run/libpod/exits");

  /** Present on the machines of a test bed only; see docs/agent.md. */
  private static final Path TEST_BED = Path.of("/etc/crowdlab-testbed.json");

  /** What the installer left for the agent's departure. */
  private static final Path UNINSTALL = Path.of("/opt/crowdlab/uninstall");

  private static final Duration RENEW_FIREWALL = Duration.ofMinutes(1);

  /**
   * How long an orderly stop waits for the teams to be elsewhere; with {@link Ending#ASK} less than
   * the unit's bound.
   */
  private static final Duration DRAIN = Duration.ofSeconds(30);

  private static final Duration CONNECT_TO_PORT = Duration.ofMillis(200);

  private final AgentConfig config;
  private final Commands commands;
  private final ExecutorService executor;
  private final ScheduledExecutorService timer;
  private final Identity identity;
  private final Voice voice;
  private final Nftables firewall;
  private final HubClient hub;
  private final Teams teams;
  private final Departure departure;
  private final DiskWatch disk;
  private volatile @Nullable ScheduledFuture<?> renewal;
  private volatile boolean stopping;

  Agent(AgentConfig config) throws IOException {
    this.config = config;
    executor =
        Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("work-", 0).factory());
    timer =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("timer").factory());
    commands = new ProcessCommands(executor);
    Durable.folder(config.stateDir(), true);
    Durable.folder(config.runDir(), true);
    Path teamsDir = config.runDir().resolve("teams");
    Path secretsDir = config.runDir().resolve("secrets");
    Durable.folder(secretsDir, false);
    Optional<String> user = user(config.userOrDefault());
    Path key = config.stateDir().resolve("workspace-key");
    identity = Identity.of(commands, key, user);
    voice = new Voice(config.stateDir());
    Frames frames = new Frames();
    hub =
        new HubClient(
            config,
            new Token(config.tokenFile()),
            new HubTrust(config.caFile(), Clock.systemUTC()),
            frames,
            this,
            HubClient.Patience.STANDARD,
            new Backoff(RandomGenerator.getDefault()),
            executor);
    Podman podman =
        new Podman(
            commands,
            executor,
            secretsDir,
            new PulledImages(config.stateDir()),
            config.dnsOrDefault(),
            limits());
    disk =
        new DiskWatch(
            new Disks.OfThisMachine(),
            config.stateDir(),
            Podman.storage(Podman.STORAGE_CONFIGURATION),
            hub::disk,
            DiskWatch.Pace.STANDARD,
            executor,
            timer);
    Networks networks = new FormerNetworks(commands, Namespaces.ofThisMachine(commands));
    firewall =
        new Nftables(
            commands, networks::devices, hub::addresses, Forwarding.ofThisMachine(commands));
    Host host =
        new Host(
            podman,
            networks,
            new Sshfs(commands, executor, teamsDir, key, user),
            firewall,
            new Epochs(config.stateDir()),
            new Capacity(),
            new RunFiles(teamsDir, frames),
            Host.Ports.ofThisMachine(CONNECT_TO_PORT));
    teams =
        new Teams(
            host,
            suspicious(hub, disk),
            Timings.standard(Duration.ofSeconds(config.mountDeadSecondsOrDefault())),
            executor,
            timer);
    departure =
        new Departure(
            commands,
            executor,
            UNINSTALL,
            config.stateDir(),
            config.vmUid(),
            this::stopForGood,
            hub::cleared);
  }

  /** Adopts what runs, then connects; returns at once after that. */
  void start() throws IOException {
    LOG.info("agent " + version() + " of VM " + config.vmUid());
    hub.resolve();
    // Left behind by a removal that was cut short.
    Files.deleteIfExists(removalMark());
    teams.adopt();
    ExitWatch.start(EXITS, teams::containerEnded);
    ControlServer.start(config.runDir().resolve("agent.sock"), this);
    hub.start();
    disk.start();
    long period = RENEW_FIREWALL.toSeconds();
    renewal =
        timer.scheduleWithFixedDelay(
            () -> executor.execute(firewall::renew), period, period, TimeUnit.SECONDS);
    departure.resume();
  }

  /** Stops every team, and makes nothing on this machine any more. */
  private CompletableFuture<Void> stopForGood() {
    cancelRenewal();
    disk.end();
    return teams.leave();
  }

  private void cancelRenewal() {
    ScheduledFuture<?> renewing = renewal;
    if (renewing != null) {
      renewing.cancel(false);
    }
  }

  @Override
  public FromAgent.Hello hello() {
    return new FromAgent.Hello(
        Protocol.VERSION,
        version(),
        identity.bootId(),
        identity.machineId(),
        identity.workspaceKey(),
        Texts.fitting(teams.present()),
        disk.held().orElse(null));
  }

  /** What fails may have failed because nothing can be written. */
  private static Reporter suspicious(Reporter hub, DiskWatch disk) {
    return new Reporter() {
      @Override
      public void report(TeamReport report) {
        hub.report(report);
        if (report.code() != null) {
          disk.suspect();
        }
      }

      @Override
      public void gone(FromAgent.TeamGone gone) {
        hub.gone(gone);
      }

      @Override
      public void prepared(FromAgent.Prepared prepared) {
        hub.prepared(prepared);
        if (prepared.code() != null && !prepared.code().equals(FromAgent.Prepared.BUSY)) {
          disk.suspect();
        }
      }
    };
  }

  @Override
  public void run(ToAgent.Run run) {
    teams.order(run);
  }

  @Override
  public void stop(ToAgent.Stop stop) {
    teams.order(stop);
  }

  @Override
  public void prepare(ToAgent.Prepare prepare) {
    teams.prepare(prepare);
  }

  @Override
  public void uninstall() {
    departure.begin();
  }

  @Override
  public Optional<Notice.Kind> voice() throws IOException {
    return stopping ? Optional.of(Notice.Kind.STOPPING) : voice.standing();
  }

  // ---- the machine's owner

  @Override
  public String status() throws IOException {
    StringBuilder text = new StringBuilder();
    text.append("agent ").append(version()).append('\n');
    text.append("hub ").append(config.hub()).append(": ").append(hub.state()).append('\n');
    text.append("asked of the lab: ")
        .append(
            voice.standing().map(kind -> kind.name().toLowerCase(Locale.ROOT)).orElse("nothing"))
        .append('\n');
    text.append("disk: ").append(disk.text()).append('\n');
    var present = teams.present();
    text.append("teams: ").append(present.size()).append('\n');
    for (TeamReport team : present) {
      text.append("  ").append(team.namespace()).append('/').append(team.name());
      text.append(" epoch ").append(team.epoch()).append(' ').append(team.state());
      text.append(team.message() == null ? "" : ": " + team.message()).append('\n');
    }
    return text.toString();
  }

  @Override
  public String say(Notice.Kind kind) throws IOException {
    boolean heard = hub.notice(kind, () -> voice.set(kind));
    LOG.info("the owner says: " + kind);
    return heard
        ? "The lab has been told.\n"
        : "The hub cannot be reached now; it will be told as soon as it can.\n";
  }

  // ---- the end

  /**
   * Ends the agent, and nothing else. When the machine or the service is stopped, as opposed to
   * restarted, the hub is asked to drain the VM first, and its teams are waited for; those that
   * stay go on. Where it cannot be known which of both it is, nothing is said: that the agent is
   * gone the hub sees, and who stopped it systemd can still be asked.
   */
  @Override
  public void close() {
    Ending ending = Ending.now(commands);
    cancelRenewal();
    if (ending == Ending.STOP && saysThatItStops() && !isBeingRemoved()) {
      awaitDrain();
    }
    hub.farewell(ending == Ending.STOP ? Optional.of(Notice.Kind.STOPPING) : Optional.empty());
    LOG.info("the agent ends (" + ending + "); teams that are here go on");
  }

  private boolean saysThatItStops() {
    try {
      return hub.notice(Notice.Kind.STOPPING, () -> stopping = true);
    } catch (IOException e) {
      throw new UncheckedIOException("keeping this writes nothing", e);
    }
  }

  /** The installer, on its way to remove everything, says so. */
  private boolean isBeingRemoved() {
    return Files.exists(removalMark());
  }

  private Path removalMark() {
    return config.runDir().resolve("uninstalling");
  }

  private void awaitDrain() {
    try {
      teams.gone().get(DRAIN.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      LOG.warning("not all teams found another machine in time");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String version() {
    String given = config.version();
    return given == null ? Version.of(System.getProperty("crowdlab.home")) : given;
  }

  private static Optional<String> user(String name) {
    try {
      FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(name);
      return Optional.of(name);
    } catch (IOException e) {
      LOG.warning("there is no user " + name + ": sshfs will have root's rights");
      return Optional.empty();
    }
  }

  private static boolean limits() throws IOException {
    if (!Files.exists(TEST_BED)) {
      return true;
    }
    LOG.warning(TEST_BED + " is there: containers are not limited, which no real VM should allow");
    return !Frames.mapper().readTree(Files.readString(TEST_BED)).path("noLimits").asBoolean();
  }
}
