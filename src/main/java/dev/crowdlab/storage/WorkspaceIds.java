package dev.crowdlab.storage;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Derives the names that workspaces have on a file server. They follow from UIDs alone, so nothing
 * has to be remembered, a new team of an old name gets another one, and every name that Kubernetes
 * allows works.
 */
public final class WorkspaceIds {

  /** RFC 4648, in lower case. */
  private static final String ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

  private static final int BITS_PER_DIGIT = 5;
  private static final int INSTALLATION_DIGITS = 6;

  /** 80 bits: two of a million teams are alike with a probability of 10^-12. */
  private static final int TEAM_DIGITS = 16;

  private WorkspaceIds() {}

  /**
   * Names an installation that has no name configured.
   *
   * @param clusterUid what tells clusters apart: the UID of the namespace kube-system
   */
  public static String installation(String clusterUid) {
    return digits(clusterUid, INSTALLATION_DIGITS);
  }

  /**
   * Names a team's workspace.
   *
   * @param installation six characters of {@code a-z2-7}
   */
  public static WorkspaceId of(String installation, String teamUid) {
    return new WorkspaceId(installation + "-" + digits(teamUid, TEAM_DIGITS));
  }

  private static String digits(String uid, int count) {
    byte[] digest = sha256(uid);
    StringBuilder digits = new StringBuilder(count);
    for (int i = 0; i < count; i++) {
      int value = 0;
      for (int bit = i * BITS_PER_DIGIT; bit < (i + 1) * BITS_PER_DIGIT; bit++) {
        int octet = digest[bit / Byte.SIZE] >> (Byte.SIZE - 1 - bit % Byte.SIZE);
        value = (value << 1) | (octet & 1);
      }
      digits.append(ALPHABET.charAt(value));
    }
    return digits.toString();
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }
}
