package dev.crowdlab.hub;

import dev.crowdlab.hub.Detector.Link;
import dev.crowdlab.hub.Detector.Probed;
import dev.crowdlab.hub.Detector.Signals;
import dev.crowdlab.hub.Detector.Verdict;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;

/**
 * The watch over one VM: gathers the signals, remembers the verdict. No I/O; guarded by its owner.
 */
final class Vigil {

  private final DetectorSettings settings;
  private final Detector detector;
  private final HubClock clock;
  private final ProbeBudget budget;

  private InetSocketAddress sshd;
  private Link link = Link.NEVER;
  private boolean contested;
  private boolean fast;
  private long silentSince;
  private Instant lastSeen;

  private boolean suspecting;
  private long suspectedAt;
  private Probed probed = Probed.UNKNOWN;
  private int round;
  private int pending;
  private long roundEndedAt;

  private Verdict verdict = Verdict.AWAITED;
  private Instant since;

  Vigil(DetectorSettings settings, Detector detector, HubClock clock, InetSocketAddress sshd) {
    this.settings = settings;
    this.detector = detector;
    this.clock = clock;
    this.sshd = sshd;
    this.silentSince = clock.nano();
    this.budget = new ProbeBudget(silentSince);
    this.lastSeen = clock.now();
    this.since = lastSeen;
  }

  InetSocketAddress sshd() {
    return sshd;
  }

  void sshd(InetSocketAddress address) {
    sshd = address;
  }

  /** A session is there. */
  void connected() {
    link = Link.OPEN;
    fast = false;
    heard();
  }

  void disconnected() {
    if (link == Link.OPEN) {
      link = Link.CLOSED;
    }
  }

  void contested(boolean value) {
    contested = value;
  }

  /** A frame came. */
  void heard() {
    silentSince = clock.nano();
    lastSeen = clock.now();
  }

  /**
   * A heartbeat came at the cadence that the agent was told last. Until the first of a new cadence,
   * the bound of the slow one holds: the agent may not have heard yet.
   */
  void paced(boolean toFast) {
    fast = toFast;
  }

  /** We stood still: nothing that we did not hear in that time counts, and no probe under way. */
  void doubtOurselves() {
    silentSince = clock.nano();
    if (suspecting) {
      suspectedAt = silentSince;
    }
    if (pending > 0) {
      round++;
      pending = 0;
      roundEndedAt = silentSince - settings.reprobe().toNanos();
    }
  }

  /** Looks again; true when the verdict is another one than before. */
  boolean judge() {
    long now = clock.nano();
    Duration suspected = suspecting ? Duration.ofNanos(now - suspectedAt) : Duration.ZERO;
    Verdict before = verdict;
    verdict =
        detector.judge(
            new Signals(
                link, contested, Duration.ofNanos(now - silentSince), fast, suspected, probed));
    if (verdict.doubtful()) {
      if (!suspecting) {
        suspecting = true;
        suspectedAt = now;
      }
    } else if (suspecting) {
      suspecting = false;
      probed = Probed.UNKNOWN;
      round++;
      pending = 0;
    }
    if (verdict != before) {
      since = clock.now();
    }
    return verdict != before;
  }

  /** Whether a round of probes should begin now; it is begun when it is. */
  boolean beginRound() {
    long now = clock.nano();
    if (!suspecting
        || pending > 0
        || (probed != Probed.UNKNOWN && now - roundEndedAt < settings.reprobe().toNanos())
        || !budget.allows(now)) {
      return false;
    }
    round++;
    pending = settings.probeStarts().size();
    return true;
  }

  int round() {
    return round;
  }

  /** Whether the round still wants an answer. */
  boolean running(int ofRound) {
    return pending > 0 && round == ofRound;
  }

  /**
   * A probe's result; true when it ended its round. One that belongs to no running round counts
   * nothing.
   */
  boolean probed(int ofRound, ProbeResult result) {
    long now = clock.nano();
    if (result.costs()) {
      budget.spend(now);
    }
    if (!running(ofRound)) {
      return false;
    }
    pending = result.life() ? 0 : pending - 1;
    if (pending > 0) {
      return false;
    }
    probed = result.life() ? Probed.ANSWERED : Probed.SILENT;
    roundEndedAt = now;
    if (result.life()) {
      lastSeen = clock.now();
    }
    return true;
  }

  Verdict verdict() {
    return verdict;
  }

  /** The time without a frame. */
  Duration silence() {
    return clock.since(silentSince);
  }

  Instant lastSeen() {
    return lastSeen;
  }

  VmHealth health() {
    return switch (verdict) {
      case AWAITED -> new VmHealth.Awaited(since);
      case ALIVE -> new VmHealth.Alive(lastSeen);
      case SUSPECT -> new VmHealth.Suspect(lastSeen, since);
      case AGENT_DOWN -> new VmHealth.AgentDown(lastSeen, since);
      case LOST -> new VmHealth.Lost(lastSeen, since);
      case CONFLICT -> new VmHealth.Conflict(since);
    };
  }
}
