package dev.crowdlab.hub;

import java.time.Duration;

/**
 * Keeps the probes of one sshd so rare that it does not lock us out. Guarded by its owner.
 *
 * <p>OpenSSH since 9.8 (sshd_config, PerSourcePenalties, on by default) adds one second of penalty
 * ("noauth") to an address for each connection that ends without an attempt to authenticate,
 * however politely; penalties run off in real time, and from 15 seconds on ("min") the address is
 * refused. So we spend at most {@link #CAPACITY} such connections at once and one in {@link
 * #REFILL} after that, which together with those already under way stays below 15. A probe that
 * found nobody costs nothing, so a dead machine is probed as often as the detector likes.
 */
final class ProbeBudget {

  static final int CAPACITY = 5;
  static final Duration REFILL = Duration.ofSeconds(4);

  private double left = CAPACITY;
  private long refilledAt;

  ProbeBudget(long nano) {
    refilledAt = nano;
  }

  /** Whether a round of probes may begin. */
  boolean allows(long nano) {
    refill(nano);
    return left >= 1;
  }

  /** A probe was one that sshd may count. */
  void spend(long nano) {
    refill(nano);
    left -= 1;
  }

  private void refill(long nano) {
    left = Math.min(CAPACITY, left + (nano - refilledAt) / (double) REFILL.toNanos());
    refilledAt = nano;
  }
}
