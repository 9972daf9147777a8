package dev.crowdlab.hub;

import dev.crowdlab.hub.Detector.Evidence;
import dev.crowdlab.hub.DetectorSettings.Probes;
import dev.crowdlab.hub.ProbeRound.Purpose;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the probes know of one machine's sshd, and when it is asked next. No I/O, no clock; guarded
 * by its owner.
 */
final class Sshd {

  /** How many checks in a row must find nothing well before that is said. */
  private static final int CHECKS = 2;

  /**
   * A machine that gives no sign of life is asked ever more rarely, down to every so many times.
   */
  private static final int RAREST = 16;

  private final Probes settings;
  private final ProbeBudget budget;
  private final RoundTrip roundTrip = new RoundTrip();
  private InetSocketAddress address;

  private @Nullable ProbeRound round;
  private int rounds;
  private boolean loginUnderWay;
  private long nextRoundAt;
  private long nextCheckAt;

  private Evidence evidence = Evidence.UNKNOWN;
  private Evidence usual = Evidence.UNKNOWN;
  private int badChecks;
  private int rarer = 1;

  Sshd(Probes settings, InetSocketAddress address, long nano) {
    this.settings = settings;
    this.address = address;
    this.budget = new ProbeBudget(nano);
    this.nextRoundAt = nano;
    this.nextCheckAt = nano;
  }

  InetSocketAddress address() {
    return address;
  }

  /** Another address is another sshd. */
  void moved(InetSocketAddress to, long nano) {
    if (!to.equals(address)) {
      address = to;
      usual = Evidence.UNKNOWN;
      badChecks = 0;
      nextCheckAt = nano;
    }
  }

  /** What it said in this suspicion. */
  Evidence evidence() {
    return evidence;
  }

  /** What it says when the agent is well. */
  Evidence usual() {
    return usual;
  }

  /** When it is to be looked at next while its agent is well. */
  long nextCheckAt() {
    // While a round is under way it looks after itself.
    return round == null ? nextCheckAt : Long.MAX_VALUE;
  }

  // ---- rounds

  /** Begins a round of probes if one is due; its number then. */
  Optional<Integer> begin(Purpose purpose, long nano) {
    boolean due =
        switch (purpose) {
          case DOUBT -> nano - nextRoundAt >= 0;
          case CHECK -> nano - nextCheckAt >= 0;
        };
    if (!due || (round != null && round.purpose == purpose)) {
      return Optional.empty();
    }
    round = new ProbeRound(++rounds, purpose, settings.count());
    loginUnderWay = false;
    return Optional.of(rounds);
  }

  boolean running(int number) {
    return round != null && round.number == number;
  }

  /** Whether the round wants another probe. */
  boolean wantsProbe(int number) {
    return round != null && round.number == number && round.wantsMore();
  }

  /** Whether another probe may be sent now; it counts as sent then. */
  boolean takeProbe(long nano) {
    if (round == null || !budget.take(nano)) {
      return false;
    }
    round.sent();
    return true;
  }

  /** Whether the round wants a login now; it counts as tried then. */
  boolean takeLogin(int number, long nano) {
    if (round == null
        || round.number != number
        || loginUnderWay
        || !round.wantsLogin()
        || !budget.take(nano)) {
      return false;
    }
    loginUnderWay = true;
    return true;
  }

  /** A probe's connection stands. */
  void connected(int number, Duration after) {
    roundTrip.took(after);
    if (round != null && round.number == number) {
      round.connected();
    }
  }

  /** A probe's result, which may end its round. */
  void found(int number, ProbeResult result, boolean wasConnected, long nano) {
    switch (result) {
      case BANNER, OTHER -> {
        budget.heard(nano);
        budget.spent(nano);
      }
      case MUTE -> budget.spent(nano);
      case REFUSED, NOTHING, UNABLE -> budget.free();
    }
    if (round == null || round.number != number) {
      return;
    }
    Optional<Evidence> found = round.found(result, wasConnected);
    found.ifPresent(what -> conclude(what, nano));
    if (round != null && round.wantsLogin() && evidence == Evidence.MUTE) {
      // A login has said so before.
      conclude(Evidence.MUTE, nano);
    }
    if (round != null && round.hopeless()) {
      round = null;
      nextRoundAt = nano + settings.again().toNanos();
      nextCheckAt = nextRoundAt;
    }
  }

  /** A login's result, which ends its round. */
  void loggedIn(int number, boolean answers, long nano) {
    if (answers) {
      budget.free();
    } else {
      budget.unserved();
    }
    if (round != null && round.number == number) {
      conclude(answers ? Evidence.ANSWERED : Evidence.MUTE, nano);
    }
  }

  private void conclude(Evidence what, long nano) {
    if (round != null && round.purpose == Purpose.DOUBT) {
      evidence = what;
      boolean alive = what == Evidence.ANSWERED || what == Evidence.REFUSED;
      nextRoundAt = nano + settings.again().multipliedBy(alive ? 1 : rarer).toNanos();
      rarer = alive ? 1 : Math.min(RAREST, rarer * 2);
    }
    if (what == Evidence.ANSWERED) {
      badChecks = 0;
      usual = what;
    } else if (round != null && round.purpose == Purpose.CHECK && ++badChecks >= CHECKS) {
      usual = what;
    }
    nextCheckAt = nano + (badChecks == 0 ? settings.routine() : settings.again()).toNanos();
    round = null;
  }

  // ---- what happens around

  /** The suspicion is over. */
  void calm(long nano) {
    if (round != null && round.purpose == Purpose.DOUBT) {
      round = null;
    }
    evidence = Evidence.UNKNOWN;
    rarer = 1;
    nextRoundAt = nano;
  }

  /** A round under way, and what it found so far, count nothing: it begins anew. */
  void doubtOurselves(long nano) {
    if (round != null) {
      round = null;
      nextRoundAt = nano;
    }
  }

  /** What was found has to be found again. */
  void again(long nano) {
    evidence = Evidence.UNKNOWN;
    round = null;
    nextRoundAt = nano;
  }

  /** The agent was heard. */
  void heard(long nano) {
    budget.heard(nano);
  }

  // ---- how

  /** From one probe to the next: so that few are under way when the first answer comes. */
  Duration spacing() {
    return DetectorSettings.longer(settings.spacing(), roundTrip.smoothed().dividedBy(3));
  }

  /** How long a connect may take. */
  Duration patience() {
    Duration patience =
        roundTrip.known() ? roundTrip.patience() : settings.connect().multipliedBy(2);
    Duration least = DetectorSettings.longer(settings.connect(), patience);
    return least.compareTo(settings.longestConnect()) < 0 ? least : settings.longestConnect();
  }
}
