package dev.crowdlab.ssh;

import static java.util.Objects.requireNonNull;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Which addresses may be dialled for a user: whoever writes a ContributedVM must not make the
 * operator knock at its own loopback, at the cloud's metadata service or at the cluster's inside.
 *
 * @param allowed blocks that may be dialled whatever the other rules say
 * @param refused further blocks that may not be dialled
 * @param cluster the cluster's Service and node addresses as they are known now; asked each time
 */
public record AddressPolicy(List<Cidr> allowed, List<Cidr> refused, ClusterBlocks cluster) {

  private static final String OF_THE_CLUSTER = "it belongs to the cluster";

  private static final Map<String, List<Cidr>> ALWAYS_REFUSED =
      Map.of(
          // RFC 6890 and the IANA special-purpose registries.
          "it is a loopback address", cidrs("127.0.0.0/8", "::1/128"),
          "it is an unspecified address", cidrs("0.0.0.0/8", "::/128"),
          "it is a link-local address", cidrs("169.254.0.0/16", "fe80::/10"),
          "it is a multicast address", cidrs("224.0.0.0/4", "ff00::/8"),
          "it is a reserved address", cidrs("240.0.0.0/4"),
          // Alibaba, Azure, Oracle; Amazon's, Google's and Azure's other one is link-local.
          "it is a cloud's metadata address",
              cidrs(
                  "100.100.100.200",
                  "168.63.129.16",
                  "192.0.0.192",
                  "fd00:ec2::254",
                  "fd20:ce::254"));

  /** Blocks whose addresses carry an IPv4 address, and where in the address it begins. */
  private static final Map<Cidr, Integer> EMBEDDING =
      Map.of(
          Cidr.parse("64:ff9b::/96"), 12, // NAT64, RFC 6052
          Cidr.parse("2002::/16"), 2, // 6to4, RFC 3056
          Cidr.parse("::/96"), 12); // IPv4-compatible, RFC 4291

  public AddressPolicy {
    allowed = List.copyOf(allowed);
    refused = List.copyOf(refused);
    requireNonNull(cluster, "cluster");
  }

  /** The rules where nothing of the cluster is refused but what is named. */
  public AddressPolicy(List<Cidr> allowed, List<Cidr> refused) {
    this(allowed, refused, List::of);
  }

  /** The rules without any configuration. */
  public static AddressPolicy strict() {
    return new AddressPolicy(List.of(), List.of());
  }

  /** Why the address must not be dialled, as a stable phrase; empty when it may. */
  public Optional<String> objection(InetAddress address) {
    InetAddress plain = normalise(address);
    if (allowed.stream().anyMatch(block -> block.contains(plain))) {
      return Optional.empty();
    }
    Optional<String> always =
        ALWAYS_REFUSED.entrySet().stream()
            .filter(rule -> rule.getValue().stream().anyMatch(block -> block.contains(plain)))
            .map(Map.Entry::getKey)
            .findFirst();
    if (always.isPresent()) {
      return always;
    }
    if (refused.stream().anyMatch(block -> block.contains(plain))) {
      return Optional.of(OF_THE_CLUSTER);
    }
    if (cluster.known().stream().anyMatch(block -> block.contains(plain))) {
      cluster.refusedOne();
      return Optional.of(OF_THE_CLUSTER);
    }
    return embedded(plain).flatMap(this::objection);
  }

  /** The IPv4 address of an IPv4-mapped one, without a scope; others as they are. */
  static InetAddress normalise(InetAddress address) {
    try {
      // getByAddress itself turns a mapped address into an IPv4 one.
      return InetAddress.getByAddress(address.getAddress());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address has 4 or 16 bytes", e);
    }
  }

  private static Optional<InetAddress> embedded(InetAddress address) {
    return EMBEDDING.entrySet().stream()
        .filter(entry -> entry.getKey().contains(address))
        .map(
            entry -> {
              byte[] bytes = address.getAddress();
              int from = entry.getValue();
              try {
                return InetAddress.getByAddress(Arrays.copyOfRange(bytes, from, from + 4));
              } catch (UnknownHostException e) {
                throw new IllegalStateException("an address has 4 or 16 bytes", e);
              }
            })
        .findFirst();
  }

  private static List<Cidr> cidrs(String... blocks) {
    return Arrays.stream(blocks).map(Cidr::parse).collect(Collectors.toUnmodifiableList());
  }
}
