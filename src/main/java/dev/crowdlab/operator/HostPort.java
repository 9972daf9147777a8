package dev.crowdlab.operator;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.net.InetSocketAddress;

/**
 * A host and a TCP port, written {@code host:port} or {@code [v6]:port}.
 *
 * @param port in 0..65535; 0 lets the system choose one to listen on
 */
public record HostPort(String host, int port) {

  /**
   * Reads {@code host:port}.
   *
   * @throws IllegalArgumentException when it is not of that form
   */
  @JsonCreator
  public static HostPort parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0 || !text.substring(colon + 1).matches("\\d{1,5}")) {
      throw new IllegalArgumentException(
          "not host:port: '" + text + "'; write e.g. 10.0.0.5:8443 or [2001:db8::5]:8443");
    }
    int port = Integer.parseInt(text.substring(colon + 1));
    if (port > 65535) {
      throw new IllegalArgumentException("port " + port + " in '" + text + "' is above 65535");
    }
    String host = text.substring(0, colon);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    if (!bracketed && host.contains(":")) {
      throw new IllegalArgumentException(
          "an IPv6 address stands in brackets: '" + text + "' should be [...]:" + port);
    }
    return new HostPort(bracketed ? host.substring(1, host.length() - 1) : host, port);
  }

  /** Resolves the host; for addresses of our own to listen on, never for contributed ones. */
  public InetSocketAddress toSocketAddress() {
    return new InetSocketAddress(host, port);
  }

  @Override
  @JsonValue
  public String toString() {
    return host.contains(":") ? "[" + host + "]:" + port : host + ":" + port;
  }
}
