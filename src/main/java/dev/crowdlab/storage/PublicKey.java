package dev.crowdlab.storage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Set;

/**
 * A public key that may log in, read from what a VM sent and written anew: nothing of the original
 * text reaches the file server, so no option, comment or line break of a stranger can.
 *
 * @param type as OpenSSH names it, e.g. {@code ssh-ed25519}
 * @param base64 the SSH wire form (RFC 4253, section 6.6)
 */
record PublicKey(String type, String base64) {

  private static final Set<String> ECDSA =
      Set.of("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521");
  private static final int ED25519_BYTES = 32;

  /** NIST SP 800-131A allows none below 2048; 8192 bits fit what the root script accepts. */
  private static final int MIN_RSA_BITS = 2048;

  private static final int MAX_RSA_BITS = 8192;
  private static final int MAX_LINE = 2048;

  /**
   * Reads {@code type base64}.
   *
   * @throws IllegalArgumentException when it is anything else: options, a comment, a certificate, a
   *     hardware-backed or DSA key, another type inside than outside, trailing bytes
   */
  static PublicKey parse(String line) {
    if (line.length() > MAX_LINE) {
      throw new IllegalArgumentException("the key is too long");
    }
    String[] words = line.split(" ", -1);
    if (words.length != 2) {
      throw new IllegalArgumentException("a key is its type and its base64, and nothing else");
    }
    byte[] wire = Base64.getDecoder().decode(words[1]);
    try {
      ByteBuffer buffer = ByteBuffer.wrap(wire);
      String type = new String(field(buffer), US_ASCII);
      if (!type.equals(words[0])) {
        throw new IllegalArgumentException("the key is not of the type that stands before it");
      }
      checkBody(type, buffer);
      if (buffer.hasRemaining()) {
        throw new IllegalArgumentException("something follows the key");
      }
      return new PublicKey(type, Base64.getEncoder().encodeToString(wire));
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("the key is cut short", e);
    }
  }

  /** The line as it goes to the file server. */
  String line() {
    return type + " " + base64;
  }

  private static void checkBody(String type, ByteBuffer buffer) {
    if (type.equals("ssh-ed25519")) {
      if (field(buffer).length != ED25519_BYTES) {
        throw new IllegalArgumentException("an Ed25519 key has 32 bytes");
      }
    } else if (type.equals("ssh-rsa")) {
      field(buffer);
      int bits = field(buffer).length * Byte.SIZE;
      if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS + Byte.SIZE) {
        throw new IllegalArgumentException("an RSA key has 2048 to 8192 bits");
      }
    } else if (ECDSA.contains(type)) {
      if (!type.endsWith("-" + new String(field(buffer), US_ASCII))) {
        throw new IllegalArgumentException("the key is on another curve than its type says");
      }
      field(buffer);
    } else {
      throw new IllegalArgumentException("keys of this type are not accepted");
    }
  }

  private static byte[] field(ByteBuffer buffer) {
    int length = buffer.getInt();
    if (length < 0 || length > buffer.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] bytes = new byte[length];
    buffer.get(bytes);
    return bytes;
  }
}
