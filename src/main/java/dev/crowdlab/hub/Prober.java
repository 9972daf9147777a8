package dev.crowdlab.hub;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.Consumer;

/** Asks a machine's sshd for a sign of life. */
@FunctionalInterface
interface Prober {

  /**
   * Probes once and returns at once; the result comes on a thread of the prober, within the timeout
   * from the moment at which the probe really starts.
   */
  void probe(InetSocketAddress sshd, Duration timeout, Consumer<ProbeResult> result);
}
