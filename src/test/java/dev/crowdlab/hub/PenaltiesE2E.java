package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.core.Deadline;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.ssh.AddressPolicy;
import dev.crowdlab.ssh.Cidr;
import dev.crowdlab.ssh.HostKeyPin;
import dev.crowdlab.ssh.Resolver;
import dev.crowdlab.ssh.SshConnector;
import dev.crowdlab.ssh.SshConnector.Connection;
import dev.crowdlab.ssh.SshCredentials;
import dev.crowdlab.ssh.SshSettings;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.ssh.SshjConnector;
import dev.crowdlab.testbed.HostOptions;
import dev.crowdlab.testbed.LabHost;
import dev.crowdlab.testbed.LabNetwork;
import dev.crowdlab.testbed.RequiresTestBed;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Debian 13's sshd, which refuses an address that asks too often, and our probes of it. */
@RequiresTestBed
@Order(9)
class PenaltiesE2E {

  private static final Duration BOUND = Duration.ofSeconds(60);
  private static final String REFUSED = "Not allowed at this time";

  private final HubClock clock = HubClock.system();
  private final SshdProber prober = new SshdProber();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final Tokens tokens = new Tokens(new FakeSecrets(), clock, new SecureRandom());
  private final Dispatcher news = new Dispatcher();
  private final Frames frames = new Frames();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final SshConnector connector =
      new SshjConnector(
          SshSettings.DEFAULT,
          new AddressPolicy(List.of(Cidr.parse("10.77.0.0/16")), List.of(), Set::of),
          Resolver.system());
  private HubAgents agents;

  @BeforeEach
  void open() {
    DetectorSettings settings = DetectorSettings.defaults();
    Timers timers =
        (delay, task) -> {
          var _ = timer.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
        };
    agents =
        new HubAgents(
            HubContext.of(
                settings,
                List.of(),
                clock,
                timers,
                prober,
                prober::ask,
                news,
                new HubMetrics(registry),
                () -> "nonce"),
            tokens,
            Duration.ofDays(7),
            Runnable::run);
    agents.opened();
    long tick = settings.self().tick().toMillis();
    var _ = timer.scheduleWithFixedDelay(agents::tick, tick, tick, TimeUnit.MILLISECONDS);
  }

  @AfterEach
  void close() {
    timer.shutdownNow();
    agents.close();
    news.close();
    prober.close();
  }

  /** A machine whose agent the test plays. */
  private final class Machine {
    private final LabHost host;
    private final int port;
    private final VmRef vm;
    private AgentSession session;
    private long sequence;

    Machine(LabHost host) {
      this(host, host.sshPort());
    }

    Machine(LabHost host, int port) {
      this.host = host;
      this.port = port;
      this.vm = new VmRef("lab", host.name(), "uid-" + host.name() + "-" + port);
    }

    void connect() {
      FakeSocket socket = new FakeSocket();
      session =
          agents
              .opened(tokens.verify(vm.uid(), tokens.issue(vm)).orElseThrow(), socket)
              .orElseThrow();
      says(
          new FromAgent.Hello(
              Protocol.VERSION, "sha", "boot", "machine", "ssh-ed25519 AAAA", List.of(), null));
      agents.watch(
          vm,
          new InetSocketAddress(host.address(), port),
          true,
          within -> logsIn(host, port, within));
      says(new FromAgent.Heartbeat(sequence++, 1));
    }

    void drops() {
      agents.closed(session);
    }

    void says(FromAgent message) {
      agents.frame(session, frames.write(message));
    }
  }

  private boolean logsIn(LabHost host, Duration within) {
    return logsIn(host, host.sshPort(), within);
  }

  private boolean logsIn(LabHost host, int port, Duration within) {
    SshTarget target =
        new SshTarget(
            host.address(),
            port,
            host.user(),
            false,
            HostKeyPin.parse(host.fingerprint("ed25519")),
            SshCredentials.key(host.privateKey()));
    return switch (connector.connect(target, Deadline.in(within))) {
      case Connection.Connected(var ssh) -> {
        ssh.close();
        yield true;
      }
      case Connection.Refused _ -> false;
    };
  }

  /** What sshd says to somebody who only listens. */
  private static String greeting(LabHost host) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(host.address(), host.sshPort()), 2_000);
      socket.setSoTimeout(2_000);
      return new String(socket.getInputStream().readNBytes(8), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private void everyHalfSecond(int times, Runnable what) {
    for (int i = 0; i < times; i++) {
      what.run();
      pause(Duration.ofMillis(500), () -> false);
    }
  }

  private static void pause(Duration time, BooleanSupplier until) {
    long end = System.nanoTime() + time.toNanos();
    await()
        .pollInterval(Duration.ofMillis(20))
        .atMost(time.plus(BOUND))
        .until(() -> until.getAsBoolean() || System.nanoTime() - end >= 0);
  }

  @Test
  void thisSshdRefusesWhoAsksTooOften(LabNetwork network) {
    try (LabHost host = network.start("t13-greedy", HostOptions.trixie())) {
      String heard = "";
      for (int i = 0; i < 40 && !REFUSED.startsWith(heard.isEmpty() ? "-" : heard); i++) {
        heard = greeting(host);
      }

      assertThat(REFUSED).startsWith(heard);
      assertThat(logsIn(host, Duration.ofSeconds(5))).isFalse();
    }
  }

  @Test
  void anAgentThatComesAndGoesDoesNotGetUsLockedOut(LabNetwork network) {
    try (LabHost host = network.start("t13-flapping", HostOptions.trixie())) {
      Machine machine = new Machine(host);

      everyHalfSecond(
          60,
          () -> {
            machine.connect();
            machine.drops();
          });

      assertThat(count("banner")).as("it was asked").isGreaterThan(20);
      assertThat(count("other")).as("and never refused").isZero();
      assertThat(logsIn(host, Duration.ofSeconds(10))).isTrue();
    }
  }

  @Test
  void aMachineThatHungLetsUsInAsSoonAsItGoesOn(LabNetwork network) {
    try (LabHost host = network.start("t13-hung", HostOptions.trixie())) {
      Machine machine = new Machine(host);
      machine.connect();
      pause(Duration.ofSeconds(10), () -> count("banner") > 0);

      host.freeze();
      await()
          .atMost(BOUND)
          .until(
              () ->
                  agents.health(machine.vm) instanceof VmHealth.Lost(_, _, VmHealth.VmFault fault)
                      && fault == VmHealth.VmFault.HUNG);
      pause(Duration.ofSeconds(30), () -> false);
      host.thaw();

      assertThat(logsIn(host, Duration.ofSeconds(10))).isTrue();
      assertThat(greeting(host)).startsWith("SSH-2.0");
    }
  }

  @Test
  void machinesBehindOneAddressDoNotSpendEachOthersPatience(LabNetwork network) {
    try (LabHost host = network.start("t13-shared", HostOptions.trixie())) {
      // As behind a NAT that leads each port to another machine.
      host.exec("/usr/sbin/sshd", "-p", "2222", "-o", "PidFile=none");
      List<Machine> machines = List.of(new Machine(host), new Machine(host, 2222));

      everyHalfSecond(
          40,
          () -> {
            machines.forEach(Machine::connect);
            machines.forEach(Machine::drops);
          });

      assertThat(count("banner")).isGreaterThan(20);
      assertThat(count("other")).isZero();
      for (Machine machine : machines) {
        assertThat(logsIn(host, machine.port, Duration.ofSeconds(10))).isTrue();
      }
    }
  }

  private double count(String result) {
    return registry.get("crowdlab.hub.probes").tags("result", result).counter().count();
  }
}
