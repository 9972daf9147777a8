package dev.crowdlab.route;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * Names a team's Service, EndpointSlices and Ingress. A LabTeam's name may start with a digit, hold
 * dots and have 253 characters; a Service's may not (DNS-1035, 63 characters). A name that fits
 * stays readable; another one is cut, and a hash keeps it unique. The two forms differ in their
 * prefix, so that no team can be named into another's objects.
 */
final class RouteNames {

  static final int MAX_LENGTH = 63;

  private static final String PLAIN = "lab-";
  private static final String HASHED = "labx-";
  private static final int HASH_LENGTH = 12;
  private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?");

  private RouteNames() {}

  /** The name of the Service, the Ingress and the IPv4 EndpointSlice. */
  static String of(String teamName) {
    String plain = PLAIN + teamName;
    if (plain.length() <= MAX_LENGTH && LABEL.matcher(teamName).matches()) {
      return plain;
    }
    String slug = teamName.replace('.', '-');
    int room = MAX_LENGTH - HASHED.length() - 1 - HASH_LENGTH;
    return HASHED + slug.substring(0, Math.min(room, slug.length())) + "-" + hash(teamName);
  }

  /**
   * The name of the IPv6 EndpointSlice: a slice's address family can't be changed, so each has its
   * own. The dot can't stand in a Service's name, so it is nobody else's.
   */
  static String ipv6(String teamName) {
    return of(teamName) + ".v6";
  }

  private static String hash(String teamName) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(teamName.getBytes(UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, HASH_LENGTH);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
