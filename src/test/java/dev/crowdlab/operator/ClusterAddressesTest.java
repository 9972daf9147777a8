package dev.crowdlab.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.ssh.Cidr;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClusterAddressesTest {

  private static final Cidr SERVICES = Cidr.parse("10.96.0.0/16");
  private static final Cidr NODE = Cidr.parse("192.168.1.7");

  private Set<Cidr> services = Set.of(SERVICES);
  private Set<Cidr> nodes = Set.of(NODE);
  private boolean nodesAreAway;
  private final ClusterAddresses addresses =
      new ClusterAddresses(() -> services, this::nodes, Duration.ofHours(1));

  private Set<Cidr> nodes() {
    if (nodesAreAway) {
      throw new IllegalStateException("no answer");
    }
    return nodes;
  }

  @AfterEach
  void close() {
    addresses.close();
  }

  @Test
  void servicesAndNodesAreKnownFromTheStart() {
    addresses.start();

    assertThat(addresses.get()).containsExactlyInAnyOrder(SERVICES, NODE);
  }

  @Test
  void aReadThatFailsKeepsWhatWasKnownAndSpoilsNoOther() {
    addresses.read();
    nodesAreAway = true;
    Cidr more = Cidr.parse("10.97.0.0/16");
    services = Set.of(SERVICES, more);

    addresses.read();

    assertThat(addresses.get()).containsExactlyInAnyOrder(SERVICES, more, NODE);
  }

  @Test
  void whatLeftTheClusterIsForgotten() {
    addresses.read();
    nodes = Set.of();

    addresses.read();

    assertThat(addresses.get()).containsExactly(SERVICES);
  }

  @Test
  void aReadAfterFailedOnesCounts() {
    nodesAreAway = true;
    addresses.read();
    addresses.read();
    assertThat(addresses.get()).containsExactly(SERVICES);

    nodesAreAway = false;
    addresses.read();

    assertThat(addresses.get()).contains(NODE);
  }
}
