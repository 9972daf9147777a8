package dev.crowdlab.hub;

import java.time.Duration;

/**
 * Keeps the probes of one sshd so rare that it does not lock us out. Guarded by its owner.
 *
 * <p>OpenSSH since 9.8 (sshd_config, PerSourcePenalties, on by default) adds one second of penalty
 * ("noauth") to an address for each connection that ends without an attempt to authenticate,
 * however politely; penalties run off in real time, and from 15 seconds on ("min") the address is
 * refused. So what may still be held against us, each probe under way counted as one, stays at most
 * {@link #MOST}, and is taken to run off at half of that speed: the rest is for others who share
 * our address. A probe that found nobody costs nothing, so a dead machine is probed as often as the
 * detector likes. A login that a hung machine did not serve costs when it will be, all of them at
 * once then: those do not run off before it was heard. (A probe that it did not serve is reset: of
 * that, sshd never learns who it was. It counts here all the same.)
 */
final class ProbeBudget {

  static final int MOST = 12;
  static final Duration RUNS_OFF = Duration.ofSeconds(2);

  private double held;
  private int underWay;
  private int unserved;
  private long at;

  ProbeBudget(long nano) {
    at = nano;
  }

  /** Whether one more probe may be sent; it counts as under way then. */
  boolean take(long nano) {
    runOff(nano);
    if (held + unserved + underWay + 1 > MOST) {
      return false;
    }
    underWay++;
    return true;
  }

  /** A probe ended that cost nothing. */
  void free() {
    underWay--;
  }

  /** A probe ended that sshd may hold against us. */
  void spent(long nano) {
    runOff(nano);
    underWay--;
    held++;
  }

  /** A login was given up that sshd has yet to serve. */
  void unserved() {
    underWay--;
    unserved++;
  }

  /** The machine was heard: it has served, or will at once, whom it had kept waiting. */
  void heard(long nano) {
    runOff(nano);
    held += unserved;
    unserved = 0;
  }

  private void runOff(long nano) {
    held = Math.max(0, held - (nano - at) / (double) RUNS_OFF.toNanos());
    at = nano;
  }
}
