package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.agent.Networks.Network;
import dev.crowdlab.agent.Pods.Pod;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FormerNetworksTest {

  private static final Pod POD = new Pod("uid-1", 3);

  private final FakeCommands commands = new FakeCommands();
  private final Networks networks = new FormerNetworks(commands, new FakeNetworks());

  @BeforeEach
  void start() {
    commands.answer(
        "inspect --type container crowdlab-uid-1-3-infra",
        0,
        """
        [{"NetworkSettings": {"Networks": {"crowdlab-4": {"IPAddress": "10.89.4.2"}}}}]
        """,
        "");
    commands.answer("network inspect crowdlab-4", 0, "[{\"network_interface\": \"podman5\"}]", "");
    commands.answer("network ls", 0, "crowdlab-4\ncrowdlab-5\n", "");
  }

  @Test
  void aPodOfAnEarlierVersionStaysInItsNetwork() throws Exception {
    // when
    networks.adopt(POD, "");

    // then
    assertThat(networks.take(POD)).isEqualTo(new Network("podman5", "10.89.4.2"));
    assertThat(networks.devices()).containsExactly("podman5");
  }

  @Test
  void onlyWhatNoPodIsInIsRemoved() throws Exception {
    // given
    networks.adopt(POD, "");

    // when
    networks.removeOthers();

    // then
    assertThat(commands.lines())
        .contains("podman network rm --force crowdlab-5")
        .doesNotContain("podman network rm --force crowdlab-4");
  }

  @Test
  void theNetworkGoesWithItsPod() throws Exception {
    // given
    networks.adopt(POD, "");

    // when
    networks.release(POD);

    // then
    assertThat(commands.lines()).last().isEqualTo("podman network rm --force crowdlab-4");
    assertThat(networks.devices()).isEmpty();
    assertThat(networks.take(POD).name()).isEqualTo("crowdlab-0");
  }

  @Test
  void aPodWhoseNetworkPodmanDoesNotKnowIsNotAdopted() {
    // given
    commands.answer("inspect", 125, "", "no such container");

    // then
    assertThatThrownBy(() -> networks.adopt(POD, "")).isInstanceOf(RunException.class);
  }
}
