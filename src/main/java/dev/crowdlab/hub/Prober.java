package dev.crowdlab.hub;

import java.net.InetSocketAddress;
import java.time.Duration;

/** Asks a machine's sshd for a sign of life. */
@FunctionalInterface
interface Prober {

  /**
   * Probes once and returns at once. What it finds comes on a thread of the prober, within the two
   * times from the moment at which the probe really starts.
   *
   * @param connect how long the connection may take
   * @param banner how long sshd then may take to say who it is
   */
  void probe(InetSocketAddress sshd, Duration connect, Duration banner, Heard heard);

  /** Hears what a probe finds. */
  interface Heard {

    /** The connection was made after so long: the machine's kernel lives. At most once. */
    void connected(Duration after);

    /** How it came out; once. */
    void found(ProbeResult result);
  }
}
