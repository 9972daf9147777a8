package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.agent.Firewall.Opening;
import dev.crowdlab.agent.Firewall.Port;
import java.util.List;
import org.junit.jupiter.api.Test;

class NftablesTest {

  private final FakeCommands commands = new FakeCommands();
  private final Nftables firewall =
      new Nftables(
          commands, () -> List.of("podman1", "podman2"), () -> List.of(new Cidr(0x08080808, 32)));

  private static Opening opening(boolean internet, String... sources) {
    return new Opening(
        "podman1",
        internet,
        List.of(),
        List.of(new Port(30_001, 8_080)),
        List.of(sources).stream().flatMap(text -> Cidr.parse(text).stream()).toList());
  }

  private String rules() {
    return String.valueOf(commands.asked().getLast().input());
  }

  @Test
  void everyNetworkOfOursIsClosedUnlessItIsOpened() throws Exception {
    // when
    firewall.open("uid-1", opening(false, "10.77.0.0/16"));

    // then
    assertThat(rules())
        .startsWith("table inet crowdlab\ndelete table inet crowdlab\n")
        .contains("set bridges { type ifname; elements = { \"podman1\", \"podman2\" } }")
        .contains("set internet { type ifname;  }")
        .contains("set ours { type ipv4_addr; flags interval; elements = { 8.8.8.8/32 } }")
        .contains(
            "ct status dnat oifname \"podman1\" meta l4proto tcp ct original proto-dst 30001"
                + " tcp dport 8080 ip saddr { 10.77.0.0/16 } accept");
  }

  @Test
  void withoutSourcesNobodyConnects() throws Exception {
    firewall.open("uid-1", opening(true));

    assertThat(rules())
        .doesNotContain("ct original proto-dst")
        .contains("set internet { type ifname; elements = { \"podman1\" } }");
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
  void anInterfaceThatIsNoNameIsRefused() {
    assertThatThrownBy(
            () ->
                firewall.open(
                    "uid-1", new Opening("x\" accept", false, List.of(), List.of(), List.of())))
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
    Nftables none = new Nftables(commands, List::of, List::of);

    none.renew();

    assertThat(rules()).isEqualTo("table inet crowdlab\ndelete table inet crowdlab\n");
  }
}
