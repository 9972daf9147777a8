package dev.crowdlab.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PublicKeyTest {

  private static final String ED25519 =
      "AAAAC3NzaC1lZDI1NTE5AAAAIN/nC5FCbwFj7MRSXvWLjUkDTgd6HOJI6Xv5bBbPQM4n";
  private static final String ECDSA =
      "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBMP2psAVpGuVo4ktyt12s9wvqrGKDxvZ1erf"
          + "YaV9DVNseFifbBH88USM63Fd6vAf2Y0xgdRELOmyAP4KbeRT5Bc=";
  private static final String RSA_2048 =
      "AAAAB3NzaC1yc2EAAAADAQABAAABAQChxoarvaRblnG5aZaff1wPCeizDsSUnoS3vR6VnnQPAclR1lLmVAy94IvJ"
          + "VvY/X+zo3ZWvrATwg2F1L9UYUODOPnGgR4x+FUJPdg+ZMzLsbpoT/47camMqEydGDQl0xktboQikiLjI7r0K"
          + "EmwpH16Q3dWxSs5m9bpCnaLZB/StqCvgrtEhEaFmNKXO8p0CDAYiVAYrfPQsUYR4P+kWpz0XGmeGKiSV/ouZ"
          + "C30++H+RHwuZzQixQH35G5Q+AonF6XZ4P4f/A//ih+W0h9ekU2AMtrqSgZQ2xxoM6pVmUqJQ/7RxupHjUe/M"
          + "Q2ru6nc1ob8AsJ1gFcLCXZDOfJi+sy9T";
  private static final String RSA_1024 =
      "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDCFickF5X/vlJlfY4w3ElD5nsUZ7q1C7Oft6VDG0AHaZJobF9wO+IV7jBC"
          + "K8KSrE3NxgebCkz2gmMxsq4OmxcCJUK24qSnh9smXml7vZ3V2AXwA1f5ieroz8oQz2akDcC3rfLugyluW7Sm"
          + "v0Fdc2MyW6REJ6uLbRaRdoWi0K+saQ==";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ssh-ed25519 " + ED25519,
        "ecdsa-sha2-nistp256 " + ECDSA,
        "ssh-rsa " + RSA_2048,
      })
  void a_plain_key_is_read_and_written_the_same(String line) {
    assertThat(PublicKey.parse(line).line()).isEqualTo(line);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ssh-ed25519",
        ED25519,
        "ssh-ed25519 " + ED25519 + " comment",
        "ssh-ed25519 " + ED25519 + "\nssh-ed25519 " + ED25519,
        "ssh-ed25519 " + ED25519 + "\n",
        "ssh-ed25519  " + ED25519,
        "ssh-ed25519\t" + ED25519,
        "command=\"sh\" ssh-ed25519 " + ED25519,
        "cert-authority,ssh-ed25519 " + ED25519,
        "ssh-rsa " + ED25519,
        "ssh-ed25519 " + ECDSA,
        "ecdsa-sha2-nistp384 " + ECDSA,
        "ssh-ed25519 not~base64",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN/nC5FCbwFj",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 /////w==",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN/nC5FCbwFj7MRSXvWLjUkDTgd6HOJI6Xv5bBbPQM4nAAAA",
        "ssh-rsa " + RSA_1024,
        "ssh-dss AAAAB3NzaC1kc3MAAAAA",
      })
  void anything_else_is_refused(String line) {
    assertThatThrownBy(() -> PublicKey.parse(line)).isInstanceOf(IllegalArgumentException.class);
  }
}
