package dev.crowdlab.agent;

import dev.crowdlab.agent.Commands.Command;
import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.protocol.RunFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The firewall as one nftables table of our own, {@code inet crowdlab}, replaced as a whole in one
 * transaction at each change. A packet that another table drops stays dropped; ours only adds.
 *
 * <p>What a team sends is told by the interface of its bridge, not by its address. It is stopped on
 * its way to the VM itself (input), and on its way to anywhere else (forward) unless it answers, or
 * the team has the internet. What goes to a team is stopped unless it answers, or came to a
 * published port from a source. Containers have no IPv6, so none of theirs is forwarded. Of the
 * VM's own processes only root's connect to a team; that is decided after routing, as an address
 * that was translated on the way out is on its final way only there.
 */
final class Nftables implements Firewall {

  private static final Logger LOG = Logger.getLogger(Nftables.class.getName());
  private static final Duration DEADLINE = Duration.ofSeconds(10);
  private static final Pattern INTERFACE = Pattern.compile("[A-Za-z0-9_.-]{1,15}");

  /**
   * Not the internet: the special-purpose blocks of RFC 6890 and its registry, multicast, and the
   * reserved end of the address space.
   */
  private static final String NEVER =
      "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12,"
          + " 192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15,"
          + " 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/3";

  private final Commands commands;
  private final Supplier<List<String>> bridges;
  private final Supplier<List<Cidr>> hub;
  private final Map<String, Opening> openings = new TreeMap<>();

  /**
   * @param bridges the interfaces of all teams' networks, asked for at each change: one for which
   *     nothing is open is closed
   * @param hub the hub's addresses, asked for at each change: no exercise reaches them
   */
  Nftables(Commands commands, Supplier<List<String>> bridges, Supplier<List<Cidr>> hub) {
    this.commands = commands;
    this.bridges = bridges;
    this.hub = hub;
  }

  @Override
  public synchronized void open(String teamUid, Opening opening) throws RunException {
    if (!INTERFACE.matcher(opening.bridge()).matches()) {
      throw new RunException(RunFailure.INTERNAL, "podman named an interface strangely");
    }
    openings.put(teamUid, opening);
    Result result = apply();
    if (!result.ok()) {
      throw new RunException(
          RunFailure.HOST_UNFIT, "the firewall's rules were refused: nft: " + result.reason());
    }
  }

  @Override
  public synchronized void close(String teamUid) {
    if (openings.remove(teamUid) != null) {
      renew();
    }
  }

  @Override
  public synchronized void renew() {
    Result result = apply();
    if (!result.ok()) {
      LOG.warning("the firewall's rules were refused: nft: " + result.reason());
    }
  }

  private Result apply() {
    return commands.run(
        Command.of(DEADLINE, "nft", "-f", "-")
            .withInput(ruleset(bridges.get(), List.copyOf(openings.values()), hub.get())));
  }

  /** The table for what is open, as one transaction. */
  static String ruleset(List<String> bridges, List<Opening> openings, List<Cidr> hub) {
    String remove = "table inet crowdlab\ndelete table inet crowdlab\n";
    if (bridges.isEmpty() && openings.isEmpty()) {
      return remove;
    }
    List<String> toTeam = new ArrayList<>();
    for (Opening opening : openings) {
      List<Cidr> sources = Cidr.disjoint(opening.sources());
      for (Port port : opening.ports()) {
        if (!sources.isEmpty()) {
          toTeam.add(
              "ct status dnat oifname \"%s\" meta l4proto tcp ct original proto-dst %d tcp dport %d ip saddr { %s } accept"
                  .formatted(
                      opening.bridge(), port.hostPort(), port.containerPort(), join(sources)));
        }
      }
    }
    List<Cidr> forbidden =
        Cidr.disjoint(
            Stream.concat(hub.stream(), openings.stream().flatMap(o -> o.forbidden().stream()))
                .distinct()
                .toList());
    return remove
        + """
        table inet crowdlab {
          set bridges { type ifname; %s }
          set internet { type ifname; %s }
          set never { type ipv4_addr; flags interval; elements = { %s } }
          set ours { type ipv4_addr; flags interval; %s }
          chain input {
            type filter hook input priority filter - 5; policy accept;
            iifname @bridges ct state established ct direction reply accept
            iifname @bridges drop
          }
          chain forward {
            type filter hook forward priority filter - 5; policy accept;
            iifname @bridges jump from-team
            oifname @bridges jump to-team
          }
          chain from-team {
            oifname @bridges drop
            ct state established,related ct direction reply accept
            iifname != @internet drop
            meta nfproto != ipv4 drop
            ip daddr @never drop
            ip daddr @ours drop
            fib daddr type != unicast drop
          }
          chain to-team {
            ct state established,related ct direction reply accept
            %s
            drop
          }
          chain local {
            type filter hook postrouting priority filter - 5; policy accept;
            oifname @bridges ct direction original meta skuid != 0 drop
          }
        }
        """
            .formatted(
                interfaces(Stream.concat(bridges.stream(), openings.stream().map(Opening::bridge))),
                interfaces(openings.stream().filter(Opening::internet).map(Opening::bridge)),
                NEVER,
                forbidden.isEmpty() ? "" : "elements = { " + join(forbidden) + " }",
                String.join("\n    ", toTeam));
  }

  private static String interfaces(Stream<String> names) {
    String quoted =
        names.distinct().map(name -> '"' + name + '"').collect(Collectors.joining(", "));
    return quoted.isEmpty() ? "" : "elements = { " + quoted + " }";
  }

  private static String join(List<Cidr> blocks) {
    return blocks.stream().map(Cidr::toString).collect(Collectors.joining(", "));
  }
}
