package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.protocol.RunFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ForwardingTest {

  /** As nft lists what iptables made. */
  private static final String IPTABLES =
      """
      table ip filter {
      \tchain INPUT {
      \t\ttype filter hook input priority filter; policy accept;
      \t}
      \tchain FORWARD {
      \t\ttype filter hook forward priority filter; policy drop;
      \t}
      }
      """;

  private static final String SOMEBODYS =
      """
      table inet somebodys {
      \tchain forward {
      \t\ttype filter hook forward priority filter; policy drop;
      %s\t}
      }
      """;

  @TempDir Path folder;

  private final FakeCommands commands = new FakeCommands();
  private Forwarding forwarding;

  @BeforeEach
  void start() throws IOException {
    Files.writeString(kernelSwitch(), "0\n");
    forwarding = new Forwarding(commands, kernelSwitch(), folder.resolve("ip_tables_names"));
  }

  private Path kernelSwitch() {
    return folder.resolve("ip_forward");
  }

  private void somebodysChainHas(String rules) {
    commands.answer("nft list chains", 0, SOMEBODYS.formatted(""), "");
    commands.answer("nft list chain inet somebodys forward", 0, SOMEBODYS.formatted(rules), "");
  }

  private List<String> insertions() {
    return commands.lines().stream().filter(line -> line.contains(" -I ")).toList();
  }

  private void assertUnfit() {
    assertThatThrownBy(forwarding::open)
        .isInstanceOfSatisfying(
            RunException.class, e -> assertThat(e.code()).isEqualTo(RunFailure.HOST_UNFIT));
  }

  @Test
  void theKernelIsToldToPassPacketsOn() throws Exception {
    forwarding.open();

    assertThat(kernelSwitch()).hasContent("1");
  }

  @Test
  void aKernelThatCannotBeToldToMakesTheVmUnfit() throws Exception {
    // given
    Files.delete(kernelSwitch());
    Files.createDirectory(kernelSwitch());

    // then
    assertUnfit();
  }

  @Test
  void aMachineWithoutIptablesRulesGetsNone() throws Exception {
    forwarding.open();

    assertThat(commands.lines()).containsExactly("nft list chains");
  }

  @Test
  void aChainThatIsEmptyAndAcceptsIsLeftAlone() throws Exception {
    // given
    commands.answer("nft list chains", 0, IPTABLES.replace("drop", "accept"), "");
    commands.answer("-S FORWARD", 0, "-P FORWARD ACCEPT\n", "");

    // when
    forwarding.open();

    // then
    assertThat(insertions()).isEmpty();
  }

  @Test
  void aChainThatDropsAcceptsWhatIsOurs() throws Exception {
    // given
    commands.answer("nft list chains", 0, IPTABLES, "");
    commands.answer("-S FORWARD", 0, "-P FORWARD DROP\n", "");

    // when
    forwarding.open();

    // then
    assertThat(insertions())
        .containsExactly(
            "iptables -w 5 -I FORWARD -i crowdlab-+ -j ACCEPT",
            "iptables -w 5 -I FORWARD -o crowdlab-+ -j ACCEPT");
  }

  @Test
  void whatIsAcceptedAlreadyIsNotSaidAgain() throws Exception {
    // given
    commands.answer("nft list chains", 0, IPTABLES, "");
    commands.answer(
        "-S FORWARD",
        0,
        """
        -P FORWARD DROP
        -A FORWARD -o crowdlab-+ -j ACCEPT
        -A FORWARD -i crowdlab-+ -j ACCEPT
        """,
        "");

    // when
    forwarding.open();

    // then
    assertThat(insertions()).isEmpty();
  }

  @Test
  void withDockerTheChainThatComesFirstAccepts() throws Exception {
    // given
    commands.answer("nft list chains", 0, IPTABLES, "");
    commands.answer(
        "-S FORWARD", 0, "-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n-A FORWARD -j DOCKER\n", "");
    commands.answer("-S DOCKER-USER", 0, "-N DOCKER-USER\n-A DOCKER-USER -j RETURN\n", "");

    // when
    forwarding.open();

    // then
    assertThat(insertions())
        .containsExactly(
            "iptables -w 5 -I DOCKER-USER -i crowdlab-+ -j ACCEPT",
            "iptables -w 5 -I DOCKER-USER -o crowdlab-+ -j ACCEPT");
  }

  @Test
  void theOldIptablesIsAskedWhereItIsInUse() throws Exception {
    // given
    Files.writeString(folder.resolve("ip_tables_names"), "nat\nfilter\n");
    commands.answer("-S FORWARD", 0, "-P FORWARD DROP\n", "");

    // when
    forwarding.open();

    // then
    assertThat(insertions()).hasSize(2);
  }

  @Test
  void aFirewallThatCannotBeToldToAcceptMakesTheVmUnfit() {
    // given
    commands.answer("nft list chains", 0, IPTABLES, "");
    commands.answer("iptables", -3, "", "No such file");

    // then
    assertUnfit();
  }

  @Test
  void somebodysChainThatDropsEverythingMakesTheVmUnfit() {
    somebodysChainHas("");

    assertUnfit();
  }

  @Test
  void somebodysChainThatPassesOnlyAnswersMakesTheVmUnfit() {
    somebodysChainHas("\t\tct state { established, related } accept\n");

    assertUnfit();
  }

  @Test
  void somebodysChainThatMayPassOursIsNotJudged() {
    somebodysChainHas("\t\tct status dnat accept\n");

    assertThatCode(forwarding::open).doesNotThrowAnyException();
  }
}
