package dev.crowdlab.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import net.schmizz.sshj.common.KeyType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys are made by ssh-keygen, as users make them. */
class PrivateKeysTest {

  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({
    "ed25519, 256, RFC4716, ssh-ed25519",
    "rsa, 2048, RFC4716, ssh-rsa",
    "rsa, 2048, PEM, ssh-rsa",
    "rsa, 2048, PKCS8, ssh-rsa",
    "ecdsa, 256, RFC4716, ecdsa-sha2-nistp256",
    "ecdsa, 384, PEM, ecdsa-sha2-nistp384",
    "ecdsa, 521, PKCS8, ecdsa-sha2-nistp521"
  })
  void keysAreReadPlainAndEncrypted(String type, String bits, String form, String expected)
      throws Exception {
    String plain = sshKeygen("-t", type, "-b", bits, "-m", form, "-N", "");
    String encrypted = sshKeygen("-t", type, "-b", bits, "-m", form, "-N", "correct");

    assertThat(read(plain, null)).isEqualTo(expected);
    assertThat(read(encrypted, "correct")).isEqualTo(expected);
    assertThatThrownBy(() -> read(encrypted, null))
        .isInstanceOfSatisfying(
            SshException.class,
            e -> assertThat(e.failure()).isEqualTo(new SshFailure.KeyEncrypted(false)));
    assertThatThrownBy(() -> read(encrypted, "wrong"))
        .isInstanceOfSatisfying(
            SshException.class,
            e -> assertThat(e.failure()).isEqualTo(new SshFailure.KeyEncrypted(true)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        "-----BEGIN OPENSSH PRIVATE KEY-----\n",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"
      })
  void whatIsNoKeyIsInvalid(String text) {
    assertThatThrownBy(() -> read(text, null))
        .isInstanceOfSatisfying(
            SshException.class,
            e -> assertThat(e.failure()).isInstanceOf(SshFailure.KeyInvalid.class));
  }

  @Test
  void aTruncatedKeyIsInvalid() throws Exception {
    String key = sshKeygen("-t", "ed25519", "-N", "");
    assertThatThrownBy(() -> read(key.substring(0, key.length() / 2), null))
        .isInstanceOfSatisfying(
            SshException.class,
            e -> assertThat(e.failure()).isInstanceOf(SshFailure.KeyInvalid.class));
  }

  private static String read(String text, String passphrase) throws Exception {
    return KeyType.fromKey(PrivateKeys.read(Algorithms.config(), text, passphrase).getPublic())
        .toString();
  }

  private String sshKeygen(String... options) throws Exception {
    Path file = Files.createTempDirectory(directory, "key").resolve("id");
    List<String> command = new ArrayList<>(List.of("ssh-keygen", "-q", "-f", file.toString()));
    command.addAll(List.of(options));
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    return Files.readString(file);
  }
}
