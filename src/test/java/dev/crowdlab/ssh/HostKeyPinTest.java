package dev.crowdlab.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostKeyPinTest {

  private static final String KEY =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

  /** {@code ssh-keygen -lf} of it. */
  private static final String FINGERPRINT = "SHA256:T7SvZ2cslqpPj6nKzitCBHHlpVF3r3MvLwmFL0fk0IE";

  @Test
  void aFingerprintIsTheOneThatSshKeygenPrints() {
    assertThat(HostKey.parse(KEY).fingerprint()).isEqualTo(FINGERPRINT);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        KEY,
        KEY + " root@host with a comment",
        "  " + KEY + "\n",
        FINGERPRINT,
        FINGERPRINT + "=",
        " " + FINGERPRINT + " "
      })
  void eitherFormAcceptsTheKey(String text) {
    assertThat(HostKeyPin.parse(text).accepts(HostKey.parse(KEY))).isTrue();
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", "  "})
  void noPinAcceptsNothing(String text) {
    HostKeyPin pin = HostKeyPin.parse(text);
    assertThat(pin).isEqualTo(new HostKeyPin.Unpinned());
    assertThat(pin.accepts(HostKey.parse(KEY))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense",
        "ssh-ed25519",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAA",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ",
        "ssh-dss AAAAB3NzaC1kc3MAAACBAJ",
        "SHA256:",
        "SHA256:short",
        "SHA256:T7SvZ2cslqpPj6nKzitCBHHlpVF3r3MvLwmFL0fk0IF",
        "MD5:aa:bb"
      })
  void whatIsNeitherIsRefused(String text) {
    assertThatThrownBy(() -> HostKeyPin.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
