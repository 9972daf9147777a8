package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.agent.Firewall.Opening;
import dev.crowdlab.agent.Firewall.Port;
import dev.crowdlab.protocol.RunFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NftablesTest {

  @TempDir Path folder;

  private final FakeCommands commands = new FakeCommands();
  private List<String> devices = List.of("crowdlab-1", "crowdlab-2");
  private Forwarding forwarding;
  private Nftables firewall;

  @BeforeEach
  void start() throws IOException {
    Path kernelSwitch = Files.writeString(folder.resolve("ip_forward"), "1\n");
    forwarding = new Forwarding(commands, kernelSwitch, folder.resolve("ip_tables_names"));
    firewall =
        new Nftables(commands, () -> devices, () -> List.of(new Cidr(0x08080808, 32)), forwarding);
  }

  private static Opening opening(boolean internet, String... sources) {
    return new Opening(
        "crowdlab-1",
        "10.89.240.6",
        internet,
        List.of(),
        List.of(new Port(30_001, 8_080)),
        List.of(sources).stream().flatMap(text -> Cidr.parse(text).stream()).toList());
  }

  private String rules() {
    return commands.asked().stream()
        .flatMap(command -> Stream.ofNullable(command.input()))
        .reduce((earlier, later) -> later)
        .orElseThrow();
  }

  @Test
  void everyNetworkOfOursIsClosedUnlessItIsOpened() throws Exception {
    // when
    firewall.open("uid-1", opening(false, "10.77.0.0/16"));

    // then
    assertThat(rules())
        .startsWith("table inet crowdlab\ndelete table inet crowdlab\n")
        .contains("set teams { type ifname; elements = { \"crowdlab-1\", \"crowdlab-2\" } }")
        .contains("set internet { type ifname;  }")
        .contains("set ours { type ipv4_addr; flags interval; elements = { 8.8.8.8/32 } }")
        .contains(
            "ct status dnat oifname \"crowdlab-1\" meta l4proto tcp ct original proto-dst 30001"
                + " tcp dport 8080 ip saddr { 10.77.0.0/16 } accept");
  }

  @Test
  void theLastTeamsNetworkTakesTheTableWithIt() throws Exception {
    // given
    firewall.open("uid-1", opening(false, "10.77.0.0/16"));
    firewall.close("uid-1");
    assertThat(rules()).as("while the network is there").contains("set teams");

    // when
    devices = List.of();
    firewall.tidy();

    // then
    assertThat(rules()).isEqualTo("table inet crowdlab\ndelete table inet crowdlab\n");
  }

  @Test
  void anotherTeamsRulesStayWhenANetworkIsGone() throws Exception {
    // given
    firewall.open("uid-1", opening(false, "10.77.0.0/16"));
    String before = rules();

    // when
    firewall.close("uid-2");
    firewall.tidy();

    // then
    assertThat(rules()).isEqualTo(before);
  }

  @Test
  void withoutSourcesNobodyConnects() throws Exception {
    firewall.open("uid-1", opening(true));

    assertThat(rules())
        .doesNotContain("ct original proto-dst")
        .contains("set internet { type ifname; elements = { \"crowdlab-1\" } }");
  }

  @Test
  void whatIsClosedIsInNoRule() throws Exception {
    // given
    firewall.open("uid-1", opening(true, "0.0.0.0/0"));

    // when
    firewall.close("uid-1");

    // then
    assertThat(rules()).doesNotContain("30001").contains("set internet { type ifname;  }");
  }

  @Test
  void whatComesToAPublishedPortOfTheVmIsPassedOnToTheTeam() throws Exception {
    firewall.open("uid-1", opening(false, "10.77.0.0/16"));

    assertThat(rules())
        .contains(
            "meta nfproto ipv4 fib daddr type local tcp dport 30001 dnat ip to 10.89.240.6:8080");
  }

  @Test
  void whatATeamSendsFromAnAddressThatIsNotItsOwnIsStoppedBeforeAllElse() throws Exception {
    firewall.open("uid-1", opening(true));

    assertThat(rules())
        .contains("iifname \"crowdlab-1\" ip saddr != 10.89.240.6 drop")
        .containsPattern("hook input .*;\\s+iifname @teams jump forged\\s+iifname @teams ct state")
        .containsPattern("chain from-team \\{\\s+jump forged\\s+oifname @teams drop");
  }

  @Test
  void onlyWhatATeamSendsToTheInternetHasTheVmsAddress() throws Exception {
    firewall.open("uid-1", opening(false));

    assertThat(rules()).contains("set abroad { type ipv4_addr;  }");

    firewall.open("uid-1", opening(true));

    assertThat(rules())
        .contains("set abroad { type ipv4_addr; elements = { 10.89.240.6 } }")
        .contains("ip saddr @abroad oifname != @teams masquerade");
  }

  @Test
  void aPortIsOneTeamsOnly() throws Exception {
    // given
    firewall.open("uid-1", opening(false));

    // then
    assertThatThrownBy(() -> firewall.open("uid-2", opening(false)))
        .isInstanceOfSatisfying(
            RunException.class, e -> assertThat(e.code()).isEqualTo(RunFailure.PORT_IN_USE));

    // when
    firewall.close("uid-1");

    // then
    assertThatCode(() -> firewall.open("uid-2", opening(false))).doesNotThrowAnyException();
  }

  @Test
  void anInterfaceThatIsNoNameIsRefused() {
    assertThatThrownBy(
            () ->
                firewall.open(
                    "uid-1",
                    new Opening(
                        "x\" accept", "10.89.240.6", false, List.of(), List.of(), List.of())))
        .isInstanceOf(RunException.class);
  }

  @Test
  void aHostWithoutNftablesIsUnfit() {
    // given
    commands.answer("nft", -3, "", "No such file");

    // then
    assertThatThrownBy(() -> firewall.open("uid-1", opening(false)))
        .hasMessageContaining("firewall");
  }

  @Test
  void aMachineWithoutNetworksOfOursHasNoTable() {
    Nftables none = new Nftables(commands, List::of, List::of, forwarding);

    none.renew();

    assertThat(rules()).isEqualTo("table inet crowdlab\ndelete table inet crowdlab\n");
    assertThat(commands.lines()).as("nothing else is touched").containsExactly("nft -f -");
  }

  @Test
  void aVmWhoseOwnFirewallDropsWhatIsForTeamsIsUnfit() {
    // given
    commands.answer("nft list chains", 1, "", "cannot say");

    // then
    assertThatThrownBy(() -> firewall.open("uid-1", opening(false)))
        .isInstanceOfSatisfying(
            RunException.class, e -> assertThat(e.code()).isEqualTo(RunFailure.HOST_UNFIT));
  }

  @Test
  void theWayThroughTheVmsOwnFirewallIsRenewedToo() throws Exception {
    // given
    firewall.open("uid-1", opening(false));
    Files.writeString(folder.resolve("ip_forward"), "0\n");

    // when
    firewall.renew();

    // then
    assertThat(folder.resolve("ip_forward")).hasContent("1");
  }
}
