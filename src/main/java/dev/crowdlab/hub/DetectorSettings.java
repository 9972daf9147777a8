package dev.crowdlab.hub;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * All bounds of the failure detector; docs/detection.md has a row for each, with where it comes
 * from. An installation's configuration names only what it changes.
 *
 * @param heartbeats how often agents speak
 * @param suspicion when silence is held against one
 * @param probes how its machine's sshd is asked then
 * @param patience how long what is no loss is left alone
 * @param storm when many vanish at once
 * @param self how we notice that we ourselves stood still
 */
public record DetectorSettings(
    Heartbeats heartbeats,
    Suspicion suspicion,
    Probes probes,
    Patience patience,
    Storm storm,
    Self self) {

  public DetectorSettings {
    requireNonNull(heartbeats, "heartbeats");
    requireNonNull(suspicion, "suspicion");
    requireNonNull(probes, "probes");
    requireNonNull(patience, "patience");
    requireNonNull(storm, "storm");
    requireNonNull(self, "self");
  }

  public static DetectorSettings defaults() {
    return new DetectorSettings(
        Heartbeats.DEFAULT,
        Suspicion.DEFAULT,
        Probes.DEFAULT,
        Patience.DEFAULT,
        Storm.DEFAULT,
        Self.DEFAULT);
  }

  /**
   * How often agents speak.
   *
   * @param fast between heartbeats of a machine that carries teams
   * @param slow between heartbeats of the others
   * @param slowest the longest that either becomes when there are many agents
   * @param coreShare the share of one core that all heartbeats together may take
   * @param costMicros what one takes of it, in microseconds
   */
  public record Heartbeats(
      Duration fast, Duration slow, Duration slowest, double coreShare, int costMicros) {

    static final Heartbeats DEFAULT =
        new Heartbeats(
            Duration.ofMillis(200), Duration.ofSeconds(5), Duration.ofSeconds(30), 0.2, 80);

    public Heartbeats {
      positive(fast, "heartbeats.fast");
      positive(slow, "heartbeats.slow");
      positive(slowest, "heartbeats.slowest");
      check(fast.toMillis() >= 50, "heartbeats.fast", fast, "at least 50ms");
      check(slow.compareTo(fast) >= 0, "heartbeats.slow", slow, "at least heartbeats.fast");
      check(
          slowest.compareTo(slow) >= 0 && slowest.compareTo(Duration.ofSeconds(50)) <= 0,
          "heartbeats.slowest",
          slowest,
          "at least heartbeats.slow and at most 50s");
      check(coreShare > 0 && coreShare <= 1, "heartbeats.coreShare", coreShare, "in 0..1");
      check(costMicros > 0, "heartbeats.costMicros", costMicros, "above zero");
    }

    /** How many may come in a second. */
    double most() {
      return coreShare * 1e6 / costMicros;
    }
  }

  /**
   * When silence is held against an agent: phi accrual (Hayashibara, Defago, Yared and Katayama,
   * "The phi accrual failure detector", SRDS 2004), between two hard bounds.
   *
   * @param phi the level at which it is: the silence was this improbable, as a negative power of
   *     ten, by the heartbeats so far
   * @param window how many heartbeats are remembered
   * @param floor a shorter silence is never held against anybody
   * @param floorBeats nor is one that is shorter than so many heartbeats
   * @param ceiling a longer one always is
   * @param ceilingBeats unless it is shorter than so many heartbeats
   */
  public record Suspicion(
      double phi,
      int window,
      Duration floor,
      double floorBeats,
      Duration ceiling,
      double ceilingBeats) {

    static final Suspicion DEFAULT =
        new Suspicion(8.0, 200, Duration.ofMillis(450), 2.25, Duration.ofSeconds(2), 4.0);

    public Suspicion {
      positive(floor, "suspicion.floor");
      positive(ceiling, "suspicion.ceiling");
      check(phi >= 1 && phi <= 16, "suspicion.phi", phi, "in 1..16");
      check(window >= 10 && window <= 10_000, "suspicion.window", window, "in 10..10000");
      check(floorBeats >= 1.5, "suspicion.floorBeats", floorBeats, "at least 1.5");
      check(
          ceiling.compareTo(floor) >= 0, "suspicion.ceiling", ceiling, "at least suspicion.floor");
      check(
          ceilingBeats >= floorBeats,
          "suspicion.ceilingBeats",
          ceilingBeats,
          "at least suspicion.floorBeats");
    }

    /** The shortest silence that may be held against an agent of this cadence. */
    Duration floor(Duration beat) {
      return longer(floor, times(beat, floorBeats));
    }

    /** The longest that is forgiven. */
    Duration ceiling(Duration beat) {
      return longer(ceiling, times(beat, ceilingBeats));
    }
  }

  /**
   * How a machine's sshd is asked.
   *
   * @param count how many probes of a round must stay without an answer before nobody is there; the
   *     first answer ends the round
   * @param spacing from one probe to the next; a third of the round trip where that is longer
   * @param connect how long each waits for the connection at least; longer where the round trip is
   * @param longestConnect and at most
   * @param banner how long sshd then has to say who it is
   * @param login how long it has to let us in, when it did not say that
   * @param again between two rounds while the suspicion lasts
   * @param routine between two looks at the sshd of a machine whose agent is well
   */
  public record Probes(
      int count,
      Duration spacing,
      Duration connect,
      Duration longestConnect,
      Duration banner,
      Duration login,
      Duration again,
      Duration routine) {

    static final Probes DEFAULT =
        new Probes(
            16,
            Duration.ofMillis(20),
            Duration.ofMillis(250),
            Duration.ofSeconds(2),
            Duration.ofSeconds(2),
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            Duration.ofMinutes(5));

    public Probes {
      positive(spacing, "probes.spacing");
      positive(connect, "probes.connect");
      positive(longestConnect, "probes.longestConnect");
      positive(banner, "probes.banner");
      positive(login, "probes.login");
      positive(again, "probes.again");
      positive(routine, "probes.routine");
      check(count >= 1 && count <= 64, "probes.count", count, "in 1..64");
      check(
          longestConnect.compareTo(connect) >= 0,
          "probes.longestConnect",
          longestConnect,
          "at least probes.connect");
    }
  }

  /**
   * How long what is no loss of a machine is left alone.
   *
   * @param agentReturn how long an agent whose socket is gone has to come back before it counts as
   *     down; its machine answers, so nobody is in a hurry
   * @param agentHang how long an agent may be silent on an open socket, while sshd answers, before
   *     it counts as hung; also how long one may be silent on a machine whose sshd did not answer
   *     before either, before that counts as lost
   * @param agentGone how long an agent may be down, while its machine answers and the operator
   *     keeps restarting it, before its teams move to machines that somebody watches
   * @param vmHang how long a machine may be silent whose kernel answers and nothing else does
   * @param grace after the hub opened, or a VM is watched for the first time, how long its agent
   *     has to connect before it is suspected
   * @param challenge how long the holder of a session has to answer when a second one appears
   */
  public record Patience(
      Duration agentReturn,
      Duration agentHang,
      Duration agentGone,
      Duration vmHang,
      Duration grace,
      Duration challenge) {

    static final Patience DEFAULT =
        new Patience(
            Duration.ofSeconds(3),
            Duration.ofSeconds(15),
            Duration.ofMinutes(5),
            Duration.ofSeconds(8),
            Duration.ofSeconds(10),
            Duration.ofSeconds(1));

    public Patience {
      positive(agentReturn, "patience.agentReturn");
      positive(agentHang, "patience.agentHang");
      positive(agentGone, "patience.agentGone");
      positive(vmHang, "patience.vmHang");
      positive(grace, "patience.grace");
      positive(challenge, "patience.challenge");
    }
  }

  /**
   * When many vanish at once.
   *
   * @param share the share of all watched machines above which it is a storm
   * @param least how many it must be at least
   * @param window within which they vanish
   * @param every in a storm, the shortest time between two machines that are held for lost
   */
  public record Storm(double share, int least, Duration window, Duration every) {

    static final Storm DEFAULT = new Storm(0.3, 3, Duration.ofSeconds(5), Duration.ofMillis(500));

    public Storm {
      positive(window, "storm.window");
      positive(every, "storm.every");
      check(share > 0 && share <= 1, "storm.share", share, "in 0..1");
      check(least >= 2, "storm.least", least, "at least 2");
    }
  }

  /**
   * How we notice that we stood still.
   *
   * @param tick between two looks at all machines
   * @param pause a look that comes this much too late was held up: the time does not count
   * @param stall one that comes this much too late means that all clocks start anew
   */
  public record Self(Duration tick, Duration pause, Duration stall) {

    static final Self DEFAULT =
        new Self(Duration.ofMillis(50), Duration.ofMillis(100), Duration.ofMillis(500));

    public Self {
      positive(tick, "self.tick");
      positive(pause, "self.pause");
      positive(stall, "self.stall");
      check(pause.compareTo(tick) >= 0, "self.pause", pause, "at least self.tick");
      check(stall.compareTo(pause) >= 0, "self.stall", stall, "at least self.pause");
    }
  }

  static Duration longer(Duration a, Duration b) {
    return a.compareTo(b) >= 0 ? a : b;
  }

  static Duration times(Duration duration, double factor) {
    return Duration.ofNanos(Math.round(duration.toNanos() * factor));
  }

  private static void positive(Duration value, String what) {
    check(requireNonNull(value, what).isPositive(), what, value, "above zero");
  }

  private static void check(boolean holds, String what, Object value, String remedy) {
    if (!holds) {
      throw new IllegalArgumentException(
          "detection." + what + " is '" + value + "', but must be " + remedy);
    }
  }
}
