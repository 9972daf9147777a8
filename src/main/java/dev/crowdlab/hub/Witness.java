package dev.crowdlab.hub;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/**
 * Somebody whom we should hear whatever becomes of the machines (the file server): asked when a
 * machine falls silent and nobody else is heard. Thread-safe.
 */
final class Witness {

  private static final String NAME = "witness";
  private static final Duration CONNECT = Duration.ofSeconds(1);

  private final List<InetSocketAddress> addresses;
  private final Prober prober;
  private final Hearing hearing;
  private final HubClock clock;
  private final Duration banner;
  private final ProbeBudget budget;
  private int next;

  Witness(
      List<InetSocketAddress> addresses,
      Prober prober,
      Hearing hearing,
      HubClock clock,
      Duration banner) {
    this.addresses = List.copyOf(addresses);
    this.prober = prober;
    this.hearing = hearing;
    this.clock = clock;
    this.banner = banner;
    this.budget = new ProbeBudget(clock.nano());
  }

  boolean exists() {
    return !addresses.isEmpty();
  }

  /** Asks the next one, as often as that is harmless; an answer is heard. */
  void ask() {
    InetSocketAddress address;
    synchronized (this) {
      if (addresses.isEmpty() || !budget.take(clock.nano())) {
        return;
      }
      address = addresses.get(next);
      next = (next + 1) % addresses.size();
    }
    prober.probe(
        address,
        CONNECT,
        banner,
        new Prober.Heard() {
          @Override
          public void connected(Duration after) {
            hearing.heard(NAME, clock.nano());
          }

          @Override
          public void found(ProbeResult result) {
            answered(result);
          }
        });
  }

  private void answered(ProbeResult result) {
    if (result == ProbeResult.REFUSED) {
      hearing.heard(NAME, clock.nano());
    }
    synchronized (this) {
      if (result.costs()) {
        budget.spent(clock.nano());
      } else {
        budget.free();
      }
    }
  }
}
