package dev.crowdlab.ssh;

import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** Which host key is trusted. */
public sealed interface HostKeyPin {

  /** Exactly this key. */
  record Key(HostKey key) implements HostKeyPin {}

  /**
   * The key with this fingerprint.
   *
   * @param sha256 {@code SHA256:} and 43 characters of unpadded base64
   */
  record Fingerprint(String sha256) implements HostKeyPin {

    private static final int SHA256_BYTES = 32;

    public Fingerprint {
      String digits = sha256.startsWith(PREFIX) ? sha256.substring(PREFIX.length()) : "";
      // The canonical form, so that equal fingerprints are equal texts.
      byte[] digest = Base64.getDecoder().decode(digits);
      if (digest.length != SHA256_BYTES
          || !Base64.getEncoder().withoutPadding().encodeToString(digest).equals(digits)) {
        throw new IllegalArgumentException("a fingerprint is " + PREFIX + " and 43 characters");
      }
    }
  }

  /** None: the presented key is learnt, nothing else is sent. */
  record Unpinned() implements HostKeyPin {}

  /** How a fingerprint begins. */
  String PREFIX = "SHA256:";

  /**
   * Reads {@code spec.ssh.hostKey}; null or blank is {@link Unpinned}.
   *
   * @throws IllegalArgumentException when it is neither a public key line nor a fingerprint
   */
  static HostKeyPin parse(@Nullable String text) {
    if (text == null || text.isBlank()) {
      return new Unpinned();
    }
    String pin = text.strip();
    if (pin.startsWith(PREFIX)) {
      // ssh-keygen prints no padding; people paste it with.
      return new Fingerprint(pin.replaceAll("=+$", ""));
    }
    return new Key(HostKey.parse(pin));
  }

  /** Whether the presented key is the pinned one. */
  default boolean accepts(HostKey presented) {
    return switch (this) {
      case Key(HostKey key) -> key.equals(presented);
      case Fingerprint(String sha256) -> sha256.equals(presented.fingerprint());
      case Unpinned() -> false;
    };
  }
}
