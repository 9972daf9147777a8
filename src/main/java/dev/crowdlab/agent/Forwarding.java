package dev.crowdlab.agent;

import dev.crowdlab.agent.Commands.Command;
import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.protocol.RunFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether the VM passes on what comes for a team and from it. The kernel is told to; and a firewall
 * that somebody else set up with iptables (Docker and ufw drop what they do not know) is told to
 * accept what our own table left over. That table comes first and what it drops is dropped, so this
 * opens nothing. A VM without such a firewall gets no rule.
 *
 * <p>A team's health is asked for from the VM itself, which is no evidence of any of this: where it
 * is certain that nothing is passed on, the run fails.
 */
final class Forwarding {

  private static final Duration DEADLINE = Duration.ofSeconds(10);

  /** As iptables lists them. */
  private static final List<String> ACCEPTS =
      List.of("-i crowdlab-+ -j ACCEPT", "-o crowdlab-+ -j ACCEPT");

  private static final Pattern TABLE = Pattern.compile("table (\\S+) (\\S+) \\{.*");
  private static final Pattern CHAIN = Pattern.compile("\\s+chain (\\S+) \\{.*");
  private static final Pattern DROPS =
      Pattern.compile("\\s+type filter hook forward .*policy drop;");
  private static final Pattern PASSES = Pattern.compile(".*\\b(accept|jump|goto|vmap|queue)\\b.*");
  private static final Pattern PASSES_ANSWERS =
      Pattern.compile("\\s*ct state (established|related|[{}, ])+(counter .*)?accept.*");

  private final Commands commands;
  private final Path kernelSwitch;
  private final Path legacyTables;

  /**
   * @param kernelSwitch the kernel's file that turns it on
   * @param legacyTables names the tables that are in use of the iptables before nftables
   */
  Forwarding(Commands commands, Path kernelSwitch, Path legacyTables) {
    this.commands = commands;
    this.kernelSwitch = kernelSwitch;
    this.legacyTables = legacyTables;
  }

  static Forwarding ofThisMachine(Commands commands) {
    return new Forwarding(
        commands, Path.of("/proc/sys/net/ipv4/ip_forward"), Path.of("/proc/net/ip_tables_names"));
  }

  /**
   * Opens the way; what is open stays as it is.
   *
   * @throws RunException when it is certain to be closed
   */
  void open() throws RunException {
    turnOn();
    boolean iptables = legacy();
    String table = "";
    String chain = "";
    for (String line : run("nft", "list", "chains").lines().toList()) {
      Matcher tables = TABLE.matcher(line);
      Matcher chains = CHAIN.matcher(line);
      if (tables.matches()) {
        table = tables.group(1) + " " + tables.group(2);
      } else if (chains.matches()) {
        chain = chains.group(1);
        iptables |= isIptables(table, chain);
      } else if (DROPS.matcher(line).matches() && !isIptables(table, chain)) {
        expectNotAll(table, chain);
      }
    }
    if (iptables) {
      accept();
    }
  }

  private static boolean isIptables(String table, String chain) {
    return table.equals("ip filter") && chain.equals("FORWARD");
  }

  private void turnOn() throws RunException {
    try {
      if (!Files.readString(kernelSwitch).startsWith("1")) {
        Files.writeString(kernelSwitch, "1");
      }
    } catch (IOException e) {
      throw unfit("its kernel cannot be told to: " + e.getMessage());
    }
  }

  private boolean legacy() {
    try {
      return Files.readString(legacyTables).lines().anyMatch("filter"::equals);
    } catch (IOException e) {
      // The kernel has none of these.
      return false;
    }
  }

  /** A chain that lets nothing new through, whatever ours accepts. */
  private void expectNotAll(String table, String chain) throws RunException {
    if (table.startsWith("ip6 ") || table.startsWith("bridge ") || table.startsWith("arp ")) {
      return;
    }
    List<String> words = new ArrayList<>(List.of("nft", "list", "chain"));
    words.addAll(List.of(table.split(" ", -1)));
    words.add(chain);
    boolean passes =
        run(words.toArray(String[]::new))
            .lines()
            .filter(line -> !CHAIN.matcher(line).matches() && !line.contains(" hook "))
            .filter(line -> !PASSES_ANSWERS.matcher(line).matches())
            .anyMatch(line -> PASSES.matcher(line).matches());
    if (!passes) {
      throw unfit("chain " + chain + " of its firewall's table " + table + " drops everything");
    }
  }

  private void accept() throws RunException {
    List<String> rules = run("iptables", "-w", "5", "-S", "FORWARD").lines().toList();
    if (rules.equals(List.of("-P FORWARD ACCEPT"))) {
      return;
    }
    // Docker moves this one to the front again and again, and leaves to others what is in it.
    if (rules.contains("-A FORWARD -j DOCKER-USER")) {
      acceptIn("DOCKER-USER", run("iptables", "-w", "5", "-S", "DOCKER-USER").lines().toList());
    } else {
      acceptIn("FORWARD", rules);
    }
  }

  private void acceptIn(String chain, List<String> rules) throws RunException {
    for (String accept : ACCEPTS) {
      if (!rules.contains("-A " + chain + " " + accept)) {
        List<String> words = new ArrayList<>(List.of("iptables", "-w", "5", "-I", chain));
        words.addAll(List.of(accept.split(" ", -1)));
        run(words.toArray(String[]::new));
      }
    }
  }

  private String run(String... words) throws RunException {
    Result result = commands.run(Command.of(DEADLINE, words));
    if (!result.ok()) {
      throw unfit("its firewall cannot be asked: " + words[0] + ": " + result.reason());
    }
    return result.out();
  }

  private static RunException unfit(String why) {
    return new RunException(
        RunFailure.HOST_UNFIT, "the VM does not pass packets on to teams: " + why);
  }
}
