package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CidrTest {

  @ParameterizedTest
  @CsvSource({
    "10.77.1.2, 10.77.1.2/32",
    "10.77.1.2/16, 10.77.0.0/16",
    "0.0.0.0/0, 0.0.0.0/0",
    "255.255.255.255/32, 255.255.255.255/32",
    "192.168.1.129/25, 192.168.1.128/25",
  })
  void anIpv4BlockIsBroughtIntoItsCanonicalForm(String text, String canonical) {
    assertThat(Cidr.parse(text)).hasToString("Optional[" + canonical + "]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"::1", "2001:db8::/32"})
  void ipv6IsLeftOut(String text) {
    assertThat(Cidr.parse(text)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "example.org",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "10.0.0.0/8 } accept",
        "1.2.3.4/8/9"
      })
  void anythingElseIsRefused(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Cidr.parse(text));
  }

  @Test
  void blocksWithinOthersAreLeftOut() {
    List<Cidr> blocks =
        List.of("10.77.5.0/24", "10.77.0.0/16", "10.77.0.0/16", "10.78.1.1").stream()
            .flatMap(text -> Cidr.parse(text).stream())
            .toList();

    assertThat(Cidr.disjoint(blocks)).hasToString("[10.77.0.0/16, 10.78.1.1/32]");
  }
}
