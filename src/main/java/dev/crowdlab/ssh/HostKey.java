package dev.crowdlab.ssh;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Set;

/**
 * A server's public key.
 *
 * @param type the key's type as OpenSSH names it, e.g. {@code ssh-ed25519}
 * @param base64 the key's SSH wire form (RFC 4253, section 6.6) in base64
 */
public record HostKey(String type, String base64) {

  /** The types that are accepted; DSA is not. */
  public static final Set<String> TYPES =
      Set.of(
          "ssh-ed25519",
          "ecdsa-sha2-nistp256",
          "ecdsa-sha2-nistp384",
          "ecdsa-sha2-nistp521",
          "ssh-rsa");

  /** An RSA key of 16384 bits takes about 2 KiB; nothing honest is larger. */
  private static final int MAX_BASE64 = 4096;

  public HostKey {
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException("a host key must be one of " + TYPES);
    }
    if (base64.length() > MAX_BASE64) {
      throw new IllegalArgumentException("a host key must not be longer than " + MAX_BASE64);
    }
    byte[] wire = Base64.getDecoder().decode(base64);
    if (!type.equals(innerType(wire))) {
      throw new IllegalArgumentException("the key is not of the type that stands before it");
    }
  }

  /**
   * Reads an OpenSSH public key line: type, base64, optional comment.
   *
   * @throws IllegalArgumentException when it is not one; the message says what is wrong
   */
  public static HostKey parse(String line) {
    String[] words = line.strip().split("[ \t]+", 3);
    if (words.length < 2) {
      throw new IllegalArgumentException("a public key line has a type and the key in base64");
    }
    return new HostKey(words[0], words[1]);
  }

  /** The fingerprint as {@code ssh-keygen -lf} prints it: {@code SHA256:...}. */
  public String fingerprint() {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(Base64.getDecoder().decode(base64));
      return "SHA256:" + Base64.getEncoder().withoutPadding().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }

  /** The public key line, without a comment. */
  public String line() {
    return type + " " + base64;
  }

  @Override
  public String toString() {
    return type + " " + fingerprint();
  }

  private static String innerType(byte[] wire) {
    ByteBuffer buffer = ByteBuffer.wrap(wire);
    if (buffer.remaining() < Integer.BYTES) {
      throw new IllegalArgumentException("the key is cut short");
    }
    int length = buffer.getInt();
    if (length < 0 || length > buffer.remaining()) {
      throw new IllegalArgumentException("the key is cut short");
    }
    byte[] name = new byte[length];
    buffer.get(name);
    return new String(name, US_ASCII);
  }
}
