package dev.crowdlab.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.ssh.Cidr;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClusterAddressesTest {

  private static final Cidr SERVICES = Cidr.parse("10.96.0.0/16");
  private static final Cidr NODE = Cidr.parse("192.168.1.7");

  private final AtomicInteger reads = new AtomicInteger();
  private Set<Cidr> services = Set.of(SERVICES);
  private volatile Set<Cidr> nodes = Set.of(NODE);
  private boolean nodesAreAway;
  private final ClusterAddresses addresses =
      new ClusterAddresses(() -> services, this::nodes, Duration.ofHours(1));

  private Set<Cidr> nodes() {
    reads.incrementAndGet();
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

    assertThat(addresses.known()).containsExactlyInAnyOrder(SERVICES, NODE);
  }

  @Test
  void aReadThatFailsKeepsWhatWasKnownAndSpoilsNoOther() {
    addresses.read();
    nodesAreAway = true;
    Cidr more = Cidr.parse("10.97.0.0/16");
    services = Set.of(SERVICES, more);

    addresses.read();

    assertThat(addresses.known()).containsExactlyInAnyOrder(SERVICES, more, NODE);
  }

  @Test
  void whatLeftTheClusterIsForgotten() {
    addresses.read();
    nodes = Set.of();

    addresses.read();

    assertThat(addresses.known()).containsExactly(SERVICES);
  }

  @Test
  void toAskCopiesNothing() {
    addresses.read();

    assertThat(addresses.known()).isSameAs(addresses.known());
  }

  @Test
  void whatLeftTheClusterIsForgottenSoonWhenItIsRefusedAndItIsNotReadForEachRefusal() {
    addresses.start();
    nodes = Set.of();

    for (int i = 0; i < 1_000; i++) {
      addresses.refusedOne();
    }

    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(addresses.known()).containsExactly(SERVICES));
    assertThat(reads).hasValue(2);
  }

  @Test
  void aReadAfterFailedOnesCounts() {
    nodesAreAway = true;
    addresses.read();
    addresses.read();
    assertThat(addresses.known()).containsExactly(SERVICES);

    nodesAreAway = false;
    addresses.read();

    assertThat(addresses.known()).contains(NODE);
  }
}
