package dev.crowdlab.route;

import static java.util.stream.Collectors.joining;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.stream.IntStream;

/**
 * An address, as a literal, and a TCP port in 1..65535. Never a name: what was checked is what is
 * dialled.
 */
public record Endpoint(InetAddress address, int port) {

  public Endpoint {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("a port must be in 1..65535, not " + port);
    }
  }

  /**
   * Takes an IPv4 or IPv6 literal; nothing is resolved.
   *
   * @throws IllegalArgumentException when it is not one
   */
  public static Endpoint of(String address, int port) {
    return new Endpoint(InetAddress.ofLiteral(address), port);
  }

  boolean isIpv6() {
    return address instanceof Inet6Address;
  }

  /** The address as a literal, IPv6 in the canonical form of RFC 5952. */
  String host() {
    return isIpv6() ? canonical(address.getAddress()) : address.getHostAddress();
  }

  /** The form that a URL takes. */
  @Override
  public String toString() {
    return (isIpv6() ? "[" + host() + "]" : host()) + ":" + port;
  }

  private static String canonical(byte[] bytes) {
    int[] groups = new int[8];
    for (int i = 0; i < groups.length; i++) {
      groups[i] = (bytes[2 * i] & 0xff) << 8 | (bytes[2 * i + 1] & 0xff);
    }
    int from = 0;
    int length = 0;
    for (int i = 0; i < groups.length; i++) {
      int end = i;
      while (end < groups.length && groups[end] == 0) {
        end++;
      }
      if (end - i > length) {
        from = i;
        length = end - i;
      }
    }
    // A single zero is written out.
    return length < 2
        ? join(groups, 0, groups.length)
        : join(groups, 0, from) + "::" + join(groups, from + length, groups.length);
  }

  private static String join(int[] groups, int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(i -> Integer.toHexString(groups[i]))
        .collect(joining(":"));
  }
}
