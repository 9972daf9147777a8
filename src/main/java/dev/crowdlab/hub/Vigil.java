package dev.crowdlab.hub;

import dev.crowdlab.hub.Detector.Evidence;
import dev.crowdlab.hub.Detector.Link;
import dev.crowdlab.hub.Detector.Signals;
import dev.crowdlab.hub.Detector.Verdict;
import dev.crowdlab.hub.VmHealth.Hold;
import java.time.Duration;
import java.time.Instant;

/**
 * The watch over one VM: gathers the signals, remembers the verdict. No I/O; guarded by its owner.
 */
final class Vigil {

  private final Detector detector;
  private final HubClock clock;
  private final Arrivals arrivals;
  private final Sshd sshd;

  private Link link = Link.NEVER;
  private boolean contested;
  private long silentSince;
  private Instant lastSeen;

  private boolean suspecting;
  private long suspectedAt;

  private Verdict verdict = Verdict.AWAITED;
  private Hold hold = Hold.NONE;
  private Instant since;

  Vigil(Detector detector, HubClock clock, Arrivals arrivals, Sshd sshd) {
    this.detector = detector;
    this.clock = clock;
    this.arrivals = arrivals;
    this.sshd = sshd;
    this.silentSince = clock.nano();
    this.lastSeen = clock.now();
    this.since = lastSeen;
  }

  /**
   * A session is there.
   *
   * @param slowBeat the longest time between heartbeats that its agent may think of
   */
  void connected(Duration slowBeat) {
    link = Link.OPEN;
    arrivals.forget(slowBeat);
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
    sshd.heard(silentSince);
  }

  /**
   * A heartbeat came from an agent that was told this time between them last. Until the first of a
   * new cadence, the old bound holds, if that first one does not take longer than any may: the
   * agent may not have heard yet.
   */
  void beat(Duration told) {
    arrivals.beat(clock.nano(), told);
  }

  /** The agent is told this time between heartbeats now. */
  void told(Duration beat) {
    arrivals.told(clock.nano(), beat);
  }

  /** We were held up until now: the time does not count. */
  void pausedFor(Duration pause) {
    long now = clock.nano();
    silentSince = Math.min(now, silentSince + pause.toNanos());
    suspectedAt = Math.min(now, suspectedAt + pause.toNanos());
    arrivals.pausedFor(pause, now);
  }

  /** We stood still: nothing that we did not hear in that time counts, and no probe under way. */
  void doubtOurselves() {
    silentSince = clock.nano();
    suspectedAt = silentSince;
    arrivals.skip(silentSince);
    sshd.doubtOurselves(silentSince);
  }

  /** What the detector makes of the signals now. */
  Verdict judged() {
    long now = clock.nano();
    return detector.judge(
        new Signals(
            verdict,
            link,
            contested,
            Duration.ofNanos(now - silentSince),
            arrivals.bound(silentSince),
            suspecting ? Duration.ofNanos(now - suspectedAt) : Duration.ZERO,
            sshd.evidence(),
            sshd.usual() == Evidence.SILENT));
  }

  /**
   * This is the verdict from now on; true when that is news.
   *
   * @param because why it is not the one that the signals would give, if so
   */
  boolean decide(Verdict now, Hold because) {
    boolean news = now != verdict || because != hold;
    if (now != verdict) {
      since = clock.now();
    }
    verdict = now;
    hold = because;
    if (verdict.doubtful() && !suspecting) {
      suspecting = true;
      suspectedAt = clock.nano();
    } else if (!verdict.doubtful() && suspecting) {
      suspecting = false;
      sshd.calm(clock.nano());
    }
    return news;
  }

  /** sshd gave a sign of life. */
  void answered() {
    lastSeen = clock.now();
  }

  Verdict verdict() {
    return verdict;
  }

  Hold hold() {
    return hold;
  }

  /** When the present silence becomes suspicious. */
  long suspiciousAt() {
    return silentSince + arrivals.bound(silentSince).toNanos();
  }

  /** The time without a frame. */
  Duration silence() {
    return clock.since(silentSince);
  }

  VmHealth health() {
    return switch (verdict) {
      case AWAITED -> new VmHealth.Awaited(since);
      case ALIVE -> new VmHealth.Alive(lastSeen, sshdAnswers());
      case SUSPECT -> new VmHealth.Suspect(lastSeen, since, hold);
      case AGENT_DOWN -> new VmHealth.AgentDown(lastSeen, since, VmHealth.AgentFault.CRASHED);
      case AGENT_HUNG -> new VmHealth.AgentDown(lastSeen, since, VmHealth.AgentFault.HUNG);
      case VM_LOST -> new VmHealth.Lost(lastSeen, since, VmHealth.VmFault.SILENT);
      case VM_HUNG -> new VmHealth.Lost(lastSeen, since, VmHealth.VmFault.HUNG);
      case CONFLICT -> new VmHealth.Conflict(since);
    };
  }

  private boolean sshdAnswers() {
    return sshd.usual() == Evidence.UNKNOWN || sshd.usual() == Evidence.ANSWERED;
  }
}
