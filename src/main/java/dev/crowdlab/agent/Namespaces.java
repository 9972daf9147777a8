package dev.crowdlab.agent;

import static java.util.Comparator.naturalOrder;

import dev.crowdlab.agent.Commands.Command;
import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.agent.Pods.Pod;
import dev.crowdlab.protocol.RunFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Networks as the kernel has them: a network namespace each, and a pair of virtual interfaces with
 * four addresses of their own. Podman's networks would do, but it takes several times as long to
 * make and to remove one with its ports (three dozen calls of iptables) as to start a container.
 *
 * <p>A network's number tells its name and its addresses, so there is nothing to keep: what is
 * there stands under {@code /run/netns}, and a restart of the machine ends it.
 */
final class Namespaces implements Networks {

  private static final Logger LOG = Logger.getLogger(Namespaces.class.getName());
  private static final Duration DEADLINE = Duration.ofSeconds(10);
  private static final Pattern NAME = Pattern.compile("crowdlab-(\\d{1,5})");
  private static final Path ROUTES = Path.of("/proc/net/route");
  private static final Path IPV6 = Path.of("/proc/net/if_inet6");

  /** Private addresses; of several blocks, as some may be in use around the VM. */
  private static final List<Cidr> BLOCKS =
      Stream.of(
              "10.89.240.0/20",
              "172.29.240.0/20",
              "192.168.240.0/20",
              "10.213.240.0/20",
              "100.127.240.0/20")
          .flatMap(text -> Cidr.parse(text).stream())
          .toList();

  private static final int ADDRESSES_EACH = 4;
  private static final int NETWORKS_PER_BLOCK = 4096 / ADDRESSES_EACH;

  /** A number whose remains cannot be removed is passed over; not for ever. */
  private static final int ATTEMPTS = 4;

  private final Commands commands;
  private final Path folder;
  private final Path ipv6;
  private final Supplier<List<Cidr>> inUse;

  // Guarded by this.
  private final Map<Pod, Integer> taken = new HashMap<>();

  /**
   * Makes networks with {@code ip}.
   *
   * @param folder where namespaces are kept by name
   * @param ipv6 is there where the kernel has IPv6
   * @param inUse the addresses that the VM has routes to, but for networks of ours
   */
  Namespaces(Commands commands, Path folder, Path ipv6, Supplier<List<Cidr>> inUse) {
    this.commands = commands;
    this.folder = folder;
    this.ipv6 = ipv6;
    this.inUse = inUse;
  }

  /** Networks on this machine. */
  static Namespaces ofThisMachine(Commands commands) {
    return new Namespaces(
        commands,
        NAMESPACES,
        IPV6,
        () -> {
          try {
            return routes(Files.readString(ROUTES));
          } catch (IOException e) {
            LOG.warning("the machine's routes are not known: " + e.getMessage());
            return List.of();
          }
        });
  }

  @Override
  public synchronized Network take(Pod pod) throws RunException {
    Integer mine = taken.get(pod);
    if (mine != null) {
      return network(mine);
    }
    int from = firstOfFreeBlock();
    Result result = new Result(Result.NOT_STARTED, "", "");
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      int number = free(from);
      result = make(number);
      if (result.ok()) {
        taken.put(pod, number);
        return network(number);
      }
      remove(number);
      from = number + 1;
    }
    throw new RunException(
        RunFailure.HOST_UNFIT, "the team's network could not be made: ip: " + result.reason());
  }

  private int free(int from) {
    return IntStream.iterate(from, number -> number + 1)
        .filter(number -> !taken.containsValue(number))
        .findFirst()
        .orElseThrow();
  }

  private int firstOfFreeBlock() throws RunException {
    List<Cidr> used = inUse.get();
    for (int i = 0; i < BLOCKS.size(); i++) {
      if (used.stream().noneMatch(BLOCKS.get(i)::overlaps)) {
        return i * NETWORKS_PER_BLOCK;
      }
    }
    throw new RunException(
        RunFailure.HOST_UNFIT,
        "the VM has routes to all addresses that teams' networks could have");
  }

  private Result make(int number) {
    String name = name(number);
    if (Files.exists(folder.resolve(name))) {
      remove(number);
    }
    Result outside =
        ip(
            List.of(),
            "netns add " + name,
            "link add " + name + " type veth peer name eth0 netns " + name,
            withoutIpv6(name),
            "addr add " + gateway(number) + "/30 dev " + name,
            "link set " + name + " up");
    return !outside.ok()
        ? outside
        : ip(
            List.of("-n", name),
            "link set lo up",
            withoutIpv6("eth0"),
            "addr add " + address(number) + "/30 dev eth0",
            "link set eth0 up",
            "route add default via " + gateway(number));
  }

  /** Nobody would filter it. A kernel that has none does not know the word. */
  private String withoutIpv6(String device) {
    return Files.exists(ipv6) ? "link set " + device + " addrgenmode none" : "";
  }

  /** Several changes by one program. */
  private Result ip(List<String> options, String... lines) {
    List<String> words =
        Stream.of(List.of("ip"), options, List.of("-batch", "-")).flatMap(List::stream).toList();
    return commands.run(
        Command.of(DEADLINE, words)
            .withInput(
                Stream.of(lines)
                    .filter(line -> !line.isEmpty())
                    .collect(Collectors.joining("\n", "", "\n"))));
  }

  @Override
  public synchronized void adopt(Pod pod, String name) throws RunException {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches() || !Files.exists(folder.resolve(name))) {
      throw new RunException(RunFailure.INTERNAL, "its network is gone");
    }
    taken.put(pod, Integer.valueOf(matcher.group(1)));
  }

  @Override
  public synchronized void release(Pod pod) {
    Integer number = taken.remove(pod);
    if (number != null) {
      remove(number);
    }
  }

  @Override
  public synchronized void removeOthers() {
    try (Stream<Path> all = Files.isDirectory(folder) ? Files.list(folder) : Stream.of()) {
      all.map(file -> NAME.matcher(file.getFileName().toString()))
          .filter(Matcher::matches)
          .map(matcher -> Integer.valueOf(matcher.group(1)))
          .filter(number -> !taken.containsValue(number))
          .forEach(this::remove);
    } catch (IOException e) {
      LOG.warning("what networks are left cannot be found out: " + e.getMessage());
    }
  }

  private void remove(int number) {
    String name = name(number);
    ip(List.of("-force"), "link del " + name, "netns del " + name);
    if (Files.exists(folder.resolve(name))) {
      LOG.warning("network " + name + " could not be removed");
    }
  }

  @Override
  public synchronized List<String> devices() {
    return taken.values().stream().map(Namespaces::name).sorted(naturalOrder()).toList();
  }

  /** The destinations in the kernel's table of routes, but for the default route and our own. */
  static List<Cidr> routes(String table) {
    return table
        .lines()
        .skip(1)
        .map(line -> line.strip().split("\\s+"))
        .filter(fields -> fields.length > 7 && !NAME.matcher(fields[0]).matches())
        .map(fields -> new Cidr(littleEndian(fields[1]), Integer.bitCount(littleEndian(fields[7]))))
        .filter(route -> route.prefix() > 0)
        .toList();
  }

  private static int littleEndian(String hex) {
    return Integer.reverseBytes(Integer.parseUnsignedInt(hex, 16));
  }

  private static Network network(int number) {
    return new Network(name(number), address(number));
  }

  private static String name(int number) {
    return "crowdlab-" + number;
  }

  private static String gateway(int number) {
    return host(number, 1);
  }

  private static String address(int number) {
    return host(number, 2);
  }

  private static String host(int number, int offset) {
    Cidr block = BLOCKS.get(number / NETWORKS_PER_BLOCK);
    return block.host(number % NETWORKS_PER_BLOCK * ADDRESSES_EACH + offset);
  }
}
