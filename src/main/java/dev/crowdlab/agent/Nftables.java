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
 * <p>What a team sends is told by the interface that it comes from, not by its address. It is
 * stopped on its way to the VM itself (input), and on its way to anywhere else (forward) unless it
 * answers, or the team has the internet; and always when the address is not the team's. What goes
 * to a team is stopped unless it answers, or came to a published port from a source. Containers
 * have no IPv6, so none of theirs is forwarded. Of the VM's own processes only root's connect to a
 * team; that is decided after routing, as an address that was translated on the way out is on its
 * final way only there.
 *
 * <p>What comes to a published port of one of the VM's addresses is passed on to the team's; not
 * what comes to a loopback address, as its answer would not find back. What a team sends to the
 * internet has the VM's address.
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
  private final Supplier<List<String>> devices;
  private final Supplier<List<Cidr>> hub;
  private final Forwarding forwarding;
  private final Map<String, Opening> openings = new TreeMap<>();

  /**
   * @param devices the interfaces of all teams' networks, asked for at each change: one for which
   *     nothing is open is closed
   * @param hub the hub's addresses, asked for at each change: no exercise reaches them
   * @param forwarding what else of the VM is in the packets' way
   */
  Nftables(
      Commands commands,
      Supplier<List<String>> devices,
      Supplier<List<Cidr>> hub,
      Forwarding forwarding) {
    this.commands = commands;
    this.devices = devices;
    this.hub = hub;
    this.forwarding = forwarding;
  }

  @Override
  public synchronized void open(String teamUid, Opening opening) throws RunException {
    if (!INTERFACE.matcher(opening.device()).matches() || Cidr.parse(opening.address()).isEmpty()) {
      throw new RunException(RunFailure.INTERNAL, "a network has a strange name or address");
    }
    for (Map.Entry<String, Opening> other : openings.entrySet()) {
      if (!other.getKey().equals(teamUid) && other.getValue().sharesAPort(opening)) {
        throw new RunException(RunFailure.PORT_IN_USE, "another team has a port of this one's");
      }
    }
    openings.put(teamUid, opening);
    Result result = apply();
    if (!result.ok()) {
      throw new RunException(
          RunFailure.HOST_UNFIT, "the firewall's rules were refused: nft: " + result.reason());
    }
    forwarding.open();
  }

  @Override
  public synchronized void close(String teamUid) {
    if (openings.remove(teamUid) != null) {
      applyOrWarn();
    }
  }

  @Override
  public synchronized void tidy() {
    if (openings.isEmpty()) {
      applyOrWarn();
    }
  }

  @Override
  public synchronized void renew() {
    applyOrWarn();
    if (openings.isEmpty()) {
      return;
    }
    try {
      forwarding.open();
    } catch (RunException e) {
      LOG.warning("teams may not be reachable: " + e.text());
    }
  }

  private void applyOrWarn() {
    Result result = apply();
    if (!result.ok()) {
      LOG.warning("the firewall's rules were refused: nft: " + result.reason());
    }
  }

  private Result apply() {
    return commands.run(
        Command.of(DEADLINE, "nft", "-f", "-")
            .withInput(ruleset(devices.get(), List.copyOf(openings.values()), hub.get())));
  }

  /** The table for what is open, as one transaction. */
  static String ruleset(List<String> devices, List<Opening> openings, List<Cidr> hub) {
    String remove = "table inet crowdlab\ndelete table inet crowdlab\n";
    if (devices.isEmpty() && openings.isEmpty()) {
      return remove;
    }
    List<String> published = new ArrayList<>();
    List<String> toTeam = new ArrayList<>();
    for (Opening opening : openings) {
      List<Cidr> sources = Cidr.disjoint(opening.sources());
      for (Port port : opening.ports()) {
        published.add(
            "meta nfproto ipv4 fib daddr type local tcp dport %d dnat ip to %s:%d"
                .formatted(port.hostPort(), opening.address(), port.containerPort()));
        if (!sources.isEmpty()) {
          toTeam.add(
              "ct status dnat oifname \"%s\" meta l4proto tcp ct original proto-dst %d tcp dport %d ip saddr { %s } accept"
                  .formatted(
                      opening.device(), port.hostPort(), port.containerPort(), join(sources)));
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
          set teams { type ifname; %s }
          set internet { type ifname; %s }
          set abroad { type ipv4_addr; %s }
          set never { type ipv4_addr; flags interval; elements = { %s } }
          set ours { type ipv4_addr; flags interval; %s }
          chain from-outside {
            type nat hook prerouting priority dstnat - 5; policy accept;
            jump published
          }
          chain from-here {
            type nat hook output priority -105; policy accept;
            ip daddr != 127.0.0.0/8 jump published
          }
          chain published {
            %s
          }
          chain to-internet {
            type nat hook postrouting priority srcnat - 5; policy accept;
            ip saddr @abroad oifname != @teams masquerade
          }
          chain forged {
            %s
          }
          chain input {
            type filter hook input priority filter - 5; policy accept;
            iifname @teams jump forged
            iifname @teams ct state established ct direction reply accept
            iifname @teams drop
          }
          chain forward {
            type filter hook forward priority filter - 5; policy accept;
            iifname @teams jump from-team
            oifname @teams jump to-team
          }
          chain from-team {
            jump forged
            oifname @teams drop
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
            oifname @teams ct direction original meta skuid != 0 drop
          }
        }
        """
            .formatted(
                interfaces(Stream.concat(devices.stream(), openings.stream().map(Opening::device))),
                interfaces(openings.stream().filter(Opening::internet).map(Opening::device)),
                elements(openings.stream().filter(Opening::internet).map(Opening::address)),
                NEVER,
                elements(forbidden.stream().map(Cidr::toString)),
                String.join("\n    ", published),
                openings.stream()
                    .map(
                        o ->
                            "iifname \"%s\" ip saddr != %s drop".formatted(o.device(), o.address()))
                    .collect(Collectors.joining("\n    ")),
                String.join("\n    ", toTeam));
  }

  private static String interfaces(Stream<String> names) {
    return elements(names.map(name -> '"' + name + '"'));
  }

  private static String elements(Stream<String> members) {
    String all = members.distinct().collect(Collectors.joining(", "));
    return all.isEmpty() ? "" : "elements = { " + all + " }";
  }

  private static String join(List<Cidr> blocks) {
    return blocks.stream().map(Cidr::toString).collect(Collectors.joining(", "));
  }
}
