package dev.crowdlab.agent;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** A block of IPv4 addresses in its one canonical form: nothing else reaches a firewall rule. */
record Cidr(int address, int prefix) {

  Cidr {
    if (prefix < 0 || prefix > 32) {
      throw new IllegalArgumentException("a prefix is in 0..32");
    }
    address &= mask(prefix);
  }

  /**
   * Reads {@code a.b.c.d} or {@code a.b.c.d/n}; empty for IPv6, which exercises do not speak.
   *
   * @throws IllegalArgumentException when it is no address block at all
   */
  static Optional<Cidr> parse(String text) {
    int slash = text.indexOf('/');
    InetAddress address = InetAddress.ofLiteral(slash < 0 ? text : text.substring(0, slash));
    if (!(address instanceof Inet4Address)) {
      return Optional.empty();
    }
    byte[] b = address.getAddress();
    int bits = (b[0] & 255) << 24 | (b[1] & 255) << 16 | (b[2] & 255) << 8 | (b[3] & 255);
    return Optional.of(
        new Cidr(bits, slash < 0 ? 32 : Integer.parseInt(text.substring(slash + 1))));
  }

  /** The blocks without those that lie in another: the kernel refuses overlapping ones. */
  static List<Cidr> disjoint(List<Cidr> blocks) {
    List<Cidr> kept = new ArrayList<>();
    blocks.stream()
        .sorted(Comparator.comparingInt(Cidr::prefix))
        .filter(block -> kept.stream().noneMatch(wider -> wider.contains(block)))
        .forEach(kept::add);
    return kept;
  }

  /** Whether an address lies in both. */
  boolean overlaps(Cidr other) {
    return contains(other) || other.contains(this);
  }

  /** One address of the block, as text. */
  String host(int offset) {
    return dotted(address + offset);
  }

  private boolean contains(Cidr other) {
    return prefix <= other.prefix && (other.address & mask(prefix)) == address;
  }

  private static int mask(int prefix) {
    return prefix == 0 ? 0 : -1 << (32 - prefix);
  }

  private static String dotted(int address) {
    return (address >>> 24)
        + "."
        + (address >>> 16 & 255)
        + "."
        + (address >>> 8 & 255)
        + "."
        + (address & 255);
  }

  @Override
  public String toString() {
    return dotted(address) + "/" + prefix;
  }
}
