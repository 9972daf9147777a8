package dev.crowdlab.hub;

import static java.util.Objects.requireNonNull;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/**
 * The hub's configuration.
 *
 * @param listen where it listens; port 0 takes any
 * @param advertised how agents reach it, the first one first; unresolved; port 0 means the one that
 *     it listens on. Their hosts are what the server's certificate is for
 * @param identitySecret the name of the Secret with its certificates
 * @param maxConnections open connections, those before the handshake included
 * @param rotateTokensAfter the age at which a token is replaced
 * @param detector the failure detector's bounds
 * @param witnesses SSH servers that we should hear whatever becomes of the machines: when we do
 *     not, our own network is at fault. They may be names
 */
public record HubSettings(
    InetSocketAddress listen,
    List<InetSocketAddress> advertised,
    String identitySecret,
    int maxConnections,
    Duration rotateTokensAfter,
    DetectorSettings detector,
    List<InetSocketAddress> witnesses) {

  public static final String IDENTITY_SECRET = "crowdlab-hub-tls";

  public HubSettings {
    requireNonNull(listen, "listen");
    advertised = List.copyOf(advertised);
    requireNonNull(identitySecret, "identitySecret");
    requireNonNull(rotateTokensAfter, "rotateTokensAfter");
    requireNonNull(detector, "detector");
    witnesses = List.copyOf(witnesses);
    if (advertised.isEmpty()) {
      throw new IllegalArgumentException("advertised must name an address that agents can reach");
    }
    if (maxConnections < 1) {
      throw new IllegalArgumentException("maxConnections must be above zero");
    }
    if (!rotateTokensAfter.isPositive()) {
      throw new IllegalArgumentException("rotateTokensAfter must be above zero");
    }
  }

  /** The usual bounds. */
  public static HubSettings of(InetSocketAddress listen, List<InetSocketAddress> advertised) {
    return new HubSettings(
        listen,
        advertised,
        IDENTITY_SECRET,
        20_000,
        Duration.ofDays(7),
        DetectorSettings.defaults(),
        List.of());
  }

  /** The same with another detector, and witnesses. */
  public HubSettings withDetector(DetectorSettings value, List<InetSocketAddress> others) {
    return new HubSettings(
        listen, advertised, identitySecret, maxConnections, rotateTokensAfter, value, others);
  }
}
