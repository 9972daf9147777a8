package dev.crowdlab.ssh;

import java.time.Duration;

/**
 * The bounds of every connection.
 *
 * @param connectTimeout for TCP
 * @param replyTimeout for each single answer of the protocol: key exchange, authentication, opening
 *     a channel
 * @param keepAlive how often a connection is asked for a sign of life; three silent ones end it;
 *     whole seconds
 * @param maxConnecting how many connections are being opened at a time; the others wait
 */
public record SshSettings(
    Duration connectTimeout, Duration replyTimeout, Duration keepAlive, int maxConnecting) {

  public static final SshSettings DEFAULT =
      new SshSettings(Duration.ofSeconds(10), Duration.ofSeconds(15), Duration.ofSeconds(5), 16);

  public SshSettings {
    requirePositive(connectTimeout, "connectTimeout");
    requirePositive(replyTimeout, "replyTimeout");
    requirePositive(keepAlive, "keepAlive");
    if (keepAlive.toSeconds() < 1) {
      throw new IllegalArgumentException("keepAlive is at least a second");
    }
    if (maxConnecting < 1) {
      throw new IllegalArgumentException("maxConnecting is at least 1");
    }
  }

  private static void requirePositive(Duration duration, String name) {
    if (duration.isNegative() || duration.isZero()) {
      throw new IllegalArgumentException(name + " must be positive");
    }
  }
}
