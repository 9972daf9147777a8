package dev.crowdlab.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointTest {

  @ParameterizedTest
  @CsvSource({
    "10.77.1.2, 10.77.1.2:80",
    "2001:db8:0:0:0:0:0:5, [2001:db8::5]:80",
    "2001:DB8:0:1:1:1:1:1, [2001:db8:0:1:1:1:1:1]:80",
    "2001:0:0:1:0:0:0:1, [2001:0:0:1::1]:80",
    "1:0:0:1:0:0:1:1, [1::1:0:0:1:1]:80",
    "::, [::]:80",
    "1::, [1::]:80",
  })
  void anAddressHasOneForm(String address, String form) {
    assertThat(Endpoint.of(address, 80)).hasToString(form);
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "example.org", "", "1.2.3.4.5", "10.77.1.2/24"})
  void aNameIsNeverTaken(String name) {
    assertThatIllegalArgumentException().isThrownBy(() -> Endpoint.of(name, 80));
  }

  @Test
  void aPortIsInItsRange() {
    assertThatIllegalArgumentException().isThrownBy(() -> Endpoint.of("10.0.0.1", 0));
    assertThatIllegalArgumentException().isThrownBy(() -> Endpoint.of("10.0.0.1", 65_536));
  }
}
