package dev.crowdlab.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressPolicyTest {

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, it is a loopback address",
    "127.255.255.254, it is a loopback address",
    "::1, it is a loopback address",
    "::ffff:127.0.0.1, it is a loopback address",
    "::127.0.0.1, it is a loopback address",
    "64:ff9b::7f00:1, it is a loopback address",
    "2002:7f00:1::, it is a loopback address",
    "0.0.0.0, it is an unspecified address",
    "0.1.2.3, it is an unspecified address",
    "::, it is an unspecified address",
    "169.254.169.254, it is a link-local address",
    "::ffff:169.254.169.254, it is a link-local address",
    "64:ff9b::a9fe:a9fe, it is a link-local address",
    "fe80::1, it is a link-local address",
    "fe80::1%1, it is a link-local address",
    "224.0.0.1, it is a multicast address",
    "ff02::1, it is a multicast address",
    "255.255.255.255, it is a reserved address",
    "240.0.0.1, it is a reserved address",
    "100.100.100.200, it is a cloud's metadata address",
    "168.63.129.16, it is a cloud's metadata address",
    "fd00:ec2::254, it is a cloud's metadata address",
    "10.96.0.1, it belongs to the cluster",
    "10.111.255.255, it belongs to the cluster",
    "fd00:10:96::1, it belongs to the cluster",
    "::ffff:10.96.0.1, it belongs to the cluster",
  })
  void anAddressInsideIsRefused(String address, String why) throws Exception {
    assertThat(cluster().objection(InetAddress.getByName(address))).contains(why);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.77.1.2",
        "10.112.0.1",
        "10.95.255.255",
        "192.168.1.7",
        "203.0.113.9",
        "2001:db8::1",
        "fd00:10:97::1",
        "::ffff:203.0.113.9",
        "64:ff9b::cb00:7109"
      })
  void anAddressOutsideMayBeDialled(String address) throws Exception {
    assertThat(cluster().objection(InetAddress.getByName(address))).isEmpty();
  }

  @Test
  void whatIsAllowedByNameMayBeDialled() throws Exception {
    AddressPolicy policy =
        new AddressPolicy(List.of(Cidr.parse("127.0.0.1")), List.of(Cidr.parse("127.0.0.0/8")));
    assertThat(policy.objection(InetAddress.getByName("127.0.0.1"))).isEmpty();
    assertThat(policy.objection(InetAddress.getByName("::ffff:127.0.0.1"))).isEmpty();
    assertThat(policy.objection(InetAddress.getByName("127.0.0.2"))).isPresent();
  }

  @Test
  void theClusterIsRefusedAsItIsKnownNow() throws Exception {
    Set<Cidr> known = new HashSet<>();
    AddressPolicy policy =
        new AddressPolicy(List.of(Cidr.parse("10.96.7.0/24")), List.of(), () -> known);
    assertThat(policy.objection(InetAddress.getByName("10.96.0.1"))).isEmpty();

    known.add(Cidr.parse("10.96.0.0/16"));

    assertThat(policy.objection(InetAddress.getByName("10.96.0.1")))
        .contains("it belongs to the cluster");
    assertThat(policy.objection(InetAddress.getByName("64:ff9b::a60:1")))
        .contains("it belongs to the cluster");
    assertThat(policy.objection(InetAddress.getByName("10.96.7.1"))).isEmpty();
  }

  @Test
  void theClusterHearsOfEachAddressThatIsRefusedBecauseOfIt() throws Exception {
    AtomicInteger heard = new AtomicInteger();
    AddressPolicy policy =
        new AddressPolicy(
            List.of(),
            List.of(),
            new ClusterBlocks() {
              @Override
              public List<Cidr> known() {
                return List.of(Cidr.parse("10.96.0.0/16"));
              }

              @Override
              public void refusedOne() {
                heard.incrementAndGet();
              }
            });

    assertThat(policy.objection(InetAddress.getByName("10.97.0.1"))).isEmpty();
    assertThat(policy.objection(InetAddress.getByName("127.0.0.1"))).isPresent();
    assertThat(heard).hasValue(0);

    assertThat(policy.objection(InetAddress.getByName("10.96.0.1"))).isPresent();
    assertThat(heard).hasValue(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"localhost", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/x", "", "/8"})
  void whatIsNoBlockIsRefused(String text) {
    assertThatThrownBy(() -> Cidr.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  private static AddressPolicy cluster() {
    return new AddressPolicy(
        List.of(), List.of(Cidr.parse("10.96.0.0/12"), Cidr.parse("fd00:10:96::/112")));
  }
}
