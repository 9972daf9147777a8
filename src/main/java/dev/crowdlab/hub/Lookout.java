package dev.crowdlab.hub;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Detector.Evidence;
import dev.crowdlab.hub.Detector.Verdict;
import dev.crowdlab.hub.ProbeRound.Purpose;
import dev.crowdlab.hub.VmHealth.Hold;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Watches one VM: has it judged, has its sshd probed, and says what came out. Every method is
 * called with the lock of the desk held; what comes back from probes and timers takes it.
 */
final class Lookout {

  /** While no probe is wanted, it is looked again after so many times their spacing. */
  private static final int PATIENT = 5;

  /** A witness is sought after so many probes: a machine that lives has answered by then. */
  private static final int ALONE = 5;

  private static final Logger log = LoggerFactory.getLogger(Lookout.class);

  private final VmRef vm;
  private final HubContext hub;
  private final Object lock;
  private final Consumer<Verdict> decided;
  private final Vigil vigil;
  private final Sshd sshd;
  private @Nullable LoginCheck login;
  private Evidence usual = Evidence.UNKNOWN;
  private Standing told = new Standing(Verdict.AWAITED, false);
  private long roundBegan;
  private boolean over;

  /** What the storm guard was told last. */
  private record Standing(Verdict verdict, boolean answers) {}

  /**
   * @param lock the desk's
   * @param decided hears each new verdict, with the lock held
   */
  Lookout(
      VmRef vm, HubContext hub, Object lock, InetSocketAddress address, Consumer<Verdict> decided) {
    this.vm = vm;
    this.hub = hub;
    this.lock = lock;
    this.decided = decided;
    this.sshd = new Sshd(hub.settings().probes(), address, hub.clock().nano());
    this.vigil =
        new Vigil(
            hub.detector(),
            hub.clock(),
            new Arrivals(hub.settings().suspicion(), hub.pacer().slowest()),
            sshd);
  }

  /** What the VM's sshd can be reached at, and by whom. */
  void at(InetSocketAddress address, LoginCheck by) {
    sshd.moved(address, hub.clock().nano());
    login = by;
  }

  void connected() {
    vigil.connected(hub.pacer().slowest());
  }

  void disconnected() {
    vigil.disconnected();
  }

  void contested(boolean value) {
    vigil.contested(value);
  }

  /** A frame came. */
  void heard() {
    vigil.heard();
    hub.own().hearing().heard(vm.uid(), hub.clock().nano());
  }

  /** The agent is told this time between heartbeats now. */
  void told(Duration beat) {
    vigil.told(beat);
  }

  /** A heartbeat came from an agent that was told this time between them last. */
  void beat(Duration told) {
    vigil.beat(told);
  }

  /** We were held up until now. */
  void pausedFor(Duration pause) {
    vigil.pausedFor(pause);
  }

  /** What we did not hear until now is not held against it. */
  void doubtOurselves() {
    vigil.doubtOurselves();
  }

  VmHealth health() {
    return vigil.health();
  }

  /** Nobody wants to know any more. */
  void end() {
    over = true;
    hub.own().guard().forget(vm.uid());
  }

  /** Until when nothing changes, if nothing is heard until then. */
  long quietUntil() {
    return switch (vigil.verdict()) {
      case ALIVE -> Math.min(vigil.suspiciousAt(), sshd.nextCheckAt());
      case AWAITED, SUSPECT, AGENT_DOWN, AGENT_HUNG, VM_LOST, VM_HUNG, CONFLICT ->
          hub.clock().nano();
    };
  }

  /** Judges, and has sshd probed when that is due. */
  void look() {
    long now = hub.clock().nano();
    if (over || !hub.own().pulse().steady(now)) {
      return;
    }
    judge(now);
    Purpose purpose = vigil.verdict().doubtful() ? Purpose.DOUBT : Purpose.CHECK;
    boolean may =
        switch (vigil.verdict()) {
          case ALIVE -> true;
          case AWAITED, CONFLICT -> false;
          case SUSPECT, AGENT_DOWN, AGENT_HUNG, VM_LOST, VM_HUNG ->
              hub.own().guard().mayProbe(vm.uid(), now);
        };
    if (may) {
      sshd.begin(purpose, now).ifPresent(round -> begun(round, purpose, now));
    }
  }

  private void begun(int round, Purpose purpose, long now) {
    roundBegan = now;
    if (purpose == Purpose.DOUBT) {
      hub.timers()
          .after(
              sshd.spacing().multipliedBy(ALONE),
              () -> {
                synchronized (lock) {
                  seekWitness(round);
                }
              });
    }
    step(round);
  }

  /**
   * Whom we hear while it is silent to our probes, and not before, shows that the network carries
   * what we send: if there is nobody yet, somebody is asked while the round still runs.
   */
  private void seekWitness(int round) {
    if (!over && sshd.running(round) && !hub.own().hearing().others(vm.uid(), roundBegan)) {
      hub.own().witness().ask();
    }
  }

  private void judge(long now) {
    Verdict before = vigil.verdict();
    Verdict judged = vigil.judged();
    boolean answers = sshd.evidence() == Evidence.ANSWERED || sshd.evidence() == Evidence.REFUSED;
    Hold hold = Hold.NONE;
    if (judged.loss() && !before.loss()) {
      hold = hold(now);
      if (hold != Hold.NONE) {
        // Found once more, at its turn, it counts.
        sshd.again(now);
        judged = Verdict.SUSPECT;
      }
    } else if (judged == Verdict.SUSPECT && before == Verdict.SUSPECT && !answers) {
      hold = vigil.hold();
    }
    Standing standing = new Standing(judged, answers);
    if (!standing.equals(told)) {
      told = standing;
      hub.own().guard().decided(vm.uid(), judged, answers, now);
    }
    boolean sshdChanged = sshd.usual() != usual;
    usual = sshd.usual();
    if (vigil.decide(judged, hold) || sshdChanged) {
      say(before, hold);
    }
  }

  private Hold hold(long now) {
    if (hub.own().witness().exists() && !hub.own().hearing().others(vm.uid(), roundBegan)) {
      return Hold.DEAF;
    }
    return hub.own().guard().mayLose(vm.uid(), now);
  }

  private void say(Verdict before, Hold hold) {
    Verdict now = vigil.verdict();
    if (now != before) {
      hub.metrics().verdict(now);
      // A lossy link has many a suspicion that comes to nothing.
      boolean passing = now == Verdict.SUSPECT || (now == Verdict.ALIVE && !told(before));
      log.atLevel(passing ? Level.DEBUG : Level.INFO)
          .log("{}: {} after {} ms of silence", vm, now, vigil.silence().toMillis());
    }
    if (hold != Hold.NONE) {
      hub.metrics().held(hold);
      log.warn("{}: does not answer, and is not held for lost yet: {}", vm, hold);
    }
    hub.news().health(vm, vigil.health());
    if (now != before) {
      decided.accept(now);
    }
  }

  private static boolean told(Verdict verdict) {
    return verdict != Verdict.SUSPECT && verdict != Verdict.AWAITED;
  }

  // ---- probes

  /** Sends what the round wants now, and looks again a little later until it is over. */
  private void step(int round) {
    if (over || !sshd.running(round)) {
      return;
    }
    Duration next = sshd.spacing();
    if (!sshd.wantsProbe(round)) {
      next = next.multipliedBy(PATIENT);
      logIn(round);
    } else if (sshd.takeProbe(hub.clock().nano())) {
      hub.prober()
          .probe(
              sshd.address(), sshd.patience(), hub.settings().probes().banner(), new Probe(round));
    }
    hub.timers()
        .after(
            next,
            () -> {
              synchronized (lock) {
                step(round);
              }
            });
  }

  private void logIn(int round) {
    LoginCheck way = login;
    if (way != null && sshd.takeLogin(round, hub.clock().nano())) {
      Duration within = hub.settings().probes().login();
      hub.logins().ask(() -> way.answers(within), answers -> loggedIn(round, answers));
    }
  }

  private void loggedIn(int round, boolean answers) {
    synchronized (lock) {
      boolean running = sshd.running(round);
      sshd.loggedIn(round, answers, hub.clock().nano());
      if (running) {
        concluded();
      }
    }
  }

  private void concluded() {
    if (sshd.evidence() == Evidence.ANSWERED || sshd.evidence() == Evidence.REFUSED) {
      vigil.answered();
    }
    look();
  }

  /** One probe under way. */
  private final class Probe implements Prober.Heard {
    private final int round;
    private boolean connected;

    Probe(int round) {
      this.round = round;
    }

    @Override
    public void connected(Duration after) {
      synchronized (lock) {
        connected = true;
        sshd.connected(round, after);
        hub.own().hearing().heard(vm.uid(), hub.clock().nano());
      }
    }

    @Override
    public void found(ProbeResult result) {
      synchronized (lock) {
        hub.metrics().probe(result);
        boolean running = sshd.running(round);
        sshd.found(round, result, connected, hub.clock().nano());
        if (running && !sshd.running(round)) {
          concluded();
        } else {
          logIn(round);
        }
      }
    }
  }
}
