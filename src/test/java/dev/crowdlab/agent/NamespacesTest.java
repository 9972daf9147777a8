package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.agent.Networks.Network;
import dev.crowdlab.agent.Pods.Pod;
import dev.crowdlab.protocol.RunFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NamespacesTest {

  private static final Pod POD = new Pod("uid-1", 3);
  private static final Pod OTHER = new Pod("uid-2", 1);

  /** As a machine with an address in 10.77.16.0/24 has it. */
  private static final String TABLE =
      """
      Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
      host0\t00000000\t01104D0A\t0003\t0\t0\t0\t00000000\t0\t0\t0
      host0\t00104D0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
      crowdlab-3\t0CF0590A\t00000000\t0001\t0\t0\t0\tFCFFFFFF\t0\t0\t0
      """;

  @TempDir Path folder;

  private final FakeCommands commands = new FakeCommands();
  private final List<Cidr> inUse = new ArrayList<>();
  private Namespaces namespaces;

  @BeforeEach
  void start() {
    commands.answer("ip", command -> ip(String.valueOf(command.input())));
    namespaces = agent();
  }

  private Namespaces agent() {
    return new Namespaces(commands, folder, folder.resolve("if_inet6"), () -> inUse);
  }

  /** What ip does to the folder of namespaces. */
  private Result ip(String batch) {
    try {
      for (String name : named(batch, "netns add (\\S+)")) {
        Files.createFile(folder.resolve(name));
      }
      for (String name : named(batch, "netns del (\\S+)")) {
        Files.deleteIfExists(folder.resolve(name));
      }
      return new Result(0, "", "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> named(String batch, String pattern) {
    return Pattern.compile(pattern).matcher(batch).results().map(NamespacesTest::name).toList();
  }

  private static String name(MatchResult match) {
    return match.group(1);
  }

  private static Cidr block(String text) {
    return Cidr.parse(text).orElseThrow();
  }

  @Test
  void aTeamHasANetworkOfItsOwn() throws Exception {
    // when
    Network first = namespaces.take(POD);
    Network second = namespaces.take(OTHER);

    // then
    assertThat(first).isEqualTo(new Network("crowdlab-0", "10.89.240.2"));
    assertThat(second).isEqualTo(new Network("crowdlab-1", "10.89.240.6"));
    assertThat(namespaces.take(POD)).isEqualTo(first);
    assertThat(namespaces.devices()).containsExactly("crowdlab-0", "crowdlab-1");
    assertThat(folder).isDirectoryContaining("glob:**/crowdlab-1");
  }

  @Test
  void aNetworkIsALinkFromTheVmWithoutIpv6() throws Exception {
    // given
    Files.createFile(folder.resolve("if_inet6"));

    // when
    namespaces.take(POD);

    // then
    assertThat(commands.asked().getFirst().input())
        .isEqualTo(
            """
            netns add crowdlab-0
            link add crowdlab-0 type veth peer name eth0 netns crowdlab-0
            link set crowdlab-0 addrgenmode none
            addr add 10.89.240.1/30 dev crowdlab-0
            link set crowdlab-0 up
            """);
    assertThat(commands.lines().get(1)).isEqualTo("ip -n crowdlab-0 -batch -");
    assertThat(commands.asked().get(1).input())
        .isEqualTo(
            """
            link set lo up
            link set eth0 addrgenmode none
            addr add 10.89.240.2/30 dev eth0
            link set eth0 up
            route add default via 10.89.240.1
            """);
  }

  @Test
  void aKernelWithoutIpv6IsNotToldToLeaveItOut() throws Exception {
    namespaces.take(POD);

    assertThat(commands.asked())
        .extracting(command -> String.valueOf(command.input()))
        .noneMatch(batch -> batch.contains("addrgenmode"))
        .noneMatch(batch -> batch.contains("\n\n"));
  }

  @Test
  void aNetworkThatIsGivenBackIsGone() throws Exception {
    // given
    namespaces.take(POD);

    // when
    namespaces.release(POD);

    // then
    assertThat(folder).isDirectoryNotContaining("glob:**/crowdlab-0");
    assertThat(namespaces.devices()).isEmpty();
    assertThat(namespaces.take(OTHER).name()).isEqualTo("crowdlab-0");
  }

  @Test
  void addressesThatTheVmHasARouteToAreNotUsed() throws Exception {
    // given
    inUse.add(block("10.0.0.0/8"));
    inUse.add(block("172.29.241.0/24"));

    // then
    assertThat(namespaces.take(POD).address()).isEqualTo("192.168.240.2");
  }

  @Test
  void aVmWithRoutesEverywhereIsUnfit() {
    inUse.add(block("0.0.0.0/1"));
    inUse.add(block("128.0.0.0/1"));

    assertThatThrownBy(() -> namespaces.take(POD))
        .isInstanceOfSatisfying(
            RunException.class, e -> assertThat(e.code()).isEqualTo(RunFailure.HOST_UNFIT));
  }

  @Test
  void aVmWithoutIpIsUnfit() {
    commands.answer("ip", Result.NOT_STARTED, "", "no such file");

    assertThatThrownBy(() -> namespaces.take(POD))
        .isInstanceOfSatisfying(
            RunException.class, e -> assertThat(e.code()).isEqualTo(RunFailure.HOST_UNFIT));
  }

  @Test
  void anAgentThatStartsAgainKeepsWhatItAdoptsAndRemovesTheRest() throws Exception {
    // given
    namespaces.take(POD);
    namespaces.take(OTHER);
    Files.createFile(folder.resolve("somebody's"));

    // when
    Namespaces successor = agent();
    successor.adopt(OTHER, "crowdlab-1");
    successor.removeOthers();

    // then
    assertThat(successor.take(OTHER)).isEqualTo(new Network("crowdlab-1", "10.89.240.6"));
    assertThat(folder)
        .isDirectoryContaining("glob:**/crowdlab-1")
        .isDirectoryContaining("glob:**/somebody's")
        .isDirectoryNotContaining("glob:**/crowdlab-0");
  }

  @Test
  void aNetworkThatIsGoneIsNotAdopted() {
    assertThatThrownBy(() -> namespaces.adopt(POD, "crowdlab-0")).isInstanceOf(RunException.class);
    assertThatThrownBy(() -> namespaces.adopt(POD, "../x")).isInstanceOf(RunException.class);
    assertThatThrownBy(() -> namespaces.adopt(POD, "")).isInstanceOf(RunException.class);
  }

  @Test
  void whatAnAgentThatDiedLeftInTheWayIsRemoved() throws Exception {
    // given
    Files.createFile(folder.resolve("crowdlab-0"));

    // then
    assertThat(namespaces.take(POD).name()).isEqualTo("crowdlab-0");
  }

  @Test
  void routesAreReadFromTheKernelsTable() {
    assertThat(Namespaces.routes(TABLE)).containsExactly(block("10.77.16.0/24"));
  }
}
