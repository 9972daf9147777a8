package dev.crowdlab.ssh;

import org.jspecify.annotations.Nullable;

/**
 * How we prove to a machine who we are: a private key is tried first, then a password. At least one
 * of them is there.
 *
 * @param privateKey the text of a private key file (OpenSSH, PKCS#8 or PEM)
 * @param passphrase what opens the private key when it is encrypted
 */
public record SshCredentials(
    @Nullable String privateKey, @Nullable String passphrase, @Nullable String password) {

  public SshCredentials {
    privateKey = blankToNull(privateKey);
    passphrase = emptyToNull(passphrase);
    password = emptyToNull(password);
    if (privateKey == null && password == null) {
      throw new IllegalArgumentException("credentials need a private key or a password");
    }
  }

  public static SshCredentials key(String privateKey) {
    return new SshCredentials(privateKey, null, null);
  }

  public static SshCredentials password(String password) {
    return new SshCredentials(null, null, password);
  }

  private static @Nullable String blankToNull(@Nullable String text) {
    return text == null || text.isBlank() ? null : text;
  }

  private static @Nullable String emptyToNull(@Nullable String text) {
    return text == null || text.isEmpty() ? null : text;
  }

  @Override
  public String toString() {
    return "SshCredentials[***]";
  }
}
