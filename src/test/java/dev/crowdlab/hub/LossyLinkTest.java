package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.DetectorSettings.Probes;
import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.Protocol;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The hub before a machine that is well, on a link that loses packets: simulated time, simulated
 * TCP, everything else as it is. More hours by {@code -Dcrowdlab.detection.hours=1000}.
 */
class LossyLinkTest {

  private static final VmRef VM = new VmRef("lab", "alice-1", "uid-alice-1");
  private static final InetSocketAddress SSHD =
      new InetSocketAddress(InetAddress.ofLiteral("10.77.1.2"), 22);
  private static final Duration ONE_WAY = Duration.ofMillis(5);
  private static final Duration STEP = Duration.ofMinutes(1);
  private static final int HOURS = Integer.getInteger("crowdlab.detection.hours", 3);

  /** A machine on its link, and the hub that watches it. */
  private static final class Simulation implements AutoCloseable {
    private final DetectorSettings settings;
    private final double loss;
    private final Random random;
    private final ManualTime time = new ManualTime();
    private final Tokens tokens = new Tokens(new FakeSecrets(), time.clock(), new SecureRandom());
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final Dispatcher news = new Dispatcher();
    private final Frames frames = new Frames();
    private final HubAgents agents;
    private @Nullable AgentSession session;
    private @Nullable LossyStream stream;
    private FakeSocket socket = new FakeSocket();
    private long sequence;
    private double penalty;
    private double highestPenalty;
    private long penaltyAt;

    Simulation(DetectorSettings settings, double loss, long seed) {
      this.settings = settings;
      this.loss = loss;
      this.random = new Random(seed);
      agents =
          new HubAgents(
              HubContext.of(
                  settings,
                  List.of(),
                  time.clock(),
                  time,
                  this::probe,
                  (question, answer) ->
                      time.after(Duration.ofMillis(200), () -> answer.accept(true)),
                  news,
                  new HubMetrics(registry),
                  () -> "nonce"),
              tokens,
              Duration.ofDays(100_000),
              Runnable::run);
      agents.opened();
      tick();
      beat();
    }

    private void tick() {
      time.after(
          settings.self().tick(),
          () -> {
            agents.tick();
            tick();
          });
    }

    private void beat() {
      if (session == null || socket.closed()) {
        connect();
      }
      if (stream != null) {
        stream.send(frames.write(new FromAgent.Heartbeat(sequence++, 1)));
      }
      time.after(settings.heartbeats().fast(), this::beat);
    }

    private void connect() {
      if (stream != null) {
        stream.close();
      }
      socket = new FakeSocket();
      AgentSession fresh =
          agents
              .opened(tokens.verify(VM.uid(), tokens.issue(VM)).orElseThrow(), socket)
              .orElseThrow();
      session = fresh;
      LossyStream line =
          new LossyStream(time, random, loss, ONE_WAY, frame -> agents.frame(fresh, frame));
      stream = line;
      agents.frame(
          fresh,
          frames.write(
              new FromAgent.Hello(
                  Protocol.VERSION,
                  "sha",
                  "boot",
                  "machine",
                  "ssh-ed25519 AAAA",
                  List.of(),
                  null)));
      agents.watch(VM, SSHD, true, within -> true);
    }

    /** As OpenSSH counts, a second of penalty for each connection that it has served. */
    private void probe(
        InetSocketAddress sshd, Duration connect, Duration banner, Prober.Heard heard) {
      boolean there = random.nextDouble() >= loss;
      boolean andBack = random.nextDouble() >= loss;
      if (!there || !andBack) {
        time.after(connect, () -> heard.found(ProbeResult.NOTHING));
        return;
      }
      Duration roundTrip = ONE_WAY.multipliedBy(2);
      time.after(roundTrip, () -> heard.connected(roundTrip));
      time.after(
          roundTrip.multipliedBy(2),
          () -> {
            long now = time.clock().nano();
            penalty = Math.max(0, penalty - (now - penaltyAt) / 1e9) + 1;
            penaltyAt = now;
            highestPenalty = Math.max(highestPenalty, penalty);
            heard.found(ProbeResult.BANNER);
          });
    }

    Simulation run(Duration duration) {
      for (Duration left = duration; left.isPositive(); left = left.minus(STEP)) {
        time.pass(STEP);
      }
      return this;
    }

    double count(String verdict) {
      return registry.get("crowdlab.hub.verdicts").tags("verdict", verdict).counter().count();
    }

    double losses() {
      return count("vm-lost") + count("vm-hung");
    }

    @Override
    public void close() {
      agents.close();
      news.close();
    }
  }

  private static DetectorSettings with(int probes) {
    DetectorSettings all = DetectorSettings.defaults();
    Probes some = all.probes();
    return new DetectorSettings(
        all.heartbeats(),
        all.suspicion(),
        new Probes(
            probes,
            some.spacing(),
            some.connect(),
            some.longestConnect(),
            some.banner(),
            some.login(),
            some.again(),
            some.routine()),
        all.patience(),
        all.storm(),
        all.self());
  }

  @Test
  void atTwentyPercentLossEachWayAMachineThatIsWellIsLostOnceInYearsAtMost() {
    DetectorSettings settings = DetectorSettings.defaults();

    double perSecond =
        ResidualRate.falseLosses(
            0.2,
            settings.heartbeats().fast(),
            settings.suspicion().ceiling(),
            settings.probes().count());

    assertThat(1 / perSecond / Duration.ofDays(365).toSeconds()).isGreaterThan(4);
  }

  @Test
  void aMachineThatIsWellIsNotLostAtTwentyPercentLossEachWay() {
    try (Simulation simulation =
        new Simulation(DetectorSettings.defaults(), 0.2, 20).run(Duration.ofHours(HOURS))) {
      double suspicions = simulation.count("suspect");
      System.out.printf(
          "%d h at 20 %% loss each way: %.0f suspicions, %.0f losses; highest penalty %.1f s%n",
          HOURS, suspicions, simulation.losses(), simulation.highestPenalty);

      assertThat(simulation.losses()).isZero();
      assertThat(suspicions).as("the link is lossy indeed").isPositive();
      assertThat(suspicions / Duration.ofHours(HOURS).toSeconds())
          .as("and no more suspicious than computed")
          .isLessThan(ResidualRate.suspicions(0.2, Duration.ofMillis(200), Duration.ofMillis(450)));
    }
  }

  @ParameterizedTest
  @CsvSource({
    // loss each way, probes: so bad that losses come about often enough to be counted
    "0.4, 2",
    "0.4, 4",
    "0.5, 4",
    "0.3, 2",
  })
  void falseLossesAreNotMoreThanComputedWhereTheyCanBeCounted(double loss, int probes) {
    Duration time = Duration.ofHours(1);
    try (Simulation simulation = new Simulation(with(probes), loss, 7).run(time)) {
      double computed =
          ResidualRate.falseLosses(loss, Duration.ofMillis(200), Duration.ofMillis(450), probes)
              * time.toSeconds();
      System.out.printf(
          "1 h at %.0f %% loss, %d probes: %.0f losses, at most %.0f computed%n",
          100 * loss, probes, simulation.losses(), computed);

      assertThat(simulation.losses()).isPositive().isLessThan(computed);
    }
  }

  @ParameterizedTest
  @CsvSource({"0.05", "0.2", "0.4", "0.6"})
  void howeverLossyTheLinkSshdNeverComesToWhereItRefusesUs(double loss) {
    try (Simulation simulation =
        new Simulation(DetectorSettings.defaults(), loss, 11).run(Duration.ofHours(1))) {
      assertThat(simulation.highestPenalty).isLessThan(15);
    }
  }
}
