package dev.crowdlab.hub;

import dev.crowdlab.hub.Certificates.Pair;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The hub's authorities and its server certificate, as their Secret holds them.
 *
 * <p>An authority lives ten years. Two years before its end a next one is made, which agents trust
 * from then on; one year before it, the next one signs. Agents keep trusting the previous one until
 * it ends. So an agent has a year to learn of a new authority over SSH.
 *
 * @param active signs; null when the certificates are somebody else's (cert-manager)
 * @param trusted what agents trust, the active one included
 * @param chain the server's certificate, then what led to it
 */
record Pki(
    @Nullable Pair active,
    @Nullable Pair next,
    List<X509Certificate> trusted,
    Pair server,
    List<X509Certificate> chain) {

  static final Duration AUTHORITY_LIFE = Duration.ofDays(3_650);
  static final Duration NEXT_BEFORE_END = Duration.ofDays(730);
  static final Duration SWITCH_BEFORE_END = Duration.ofDays(365);
  static final Duration SERVER_LIFE = Duration.ofDays(90);

  /** A third of the life: long enough for an operator that was down for a holiday. */
  static final Duration SERVER_RENEW_BEFORE_END = Duration.ofDays(30);

  private static final String CA = "ca.crt";
  private static final String TLS = "tls.crt";
  private static final String TLS_KEY = "tls.key";
  private static final String ACTIVE = "active-ca.crt";
  private static final String ACTIVE_KEY = "active-ca.key";
  private static final String NEXT = "next-ca.crt";
  private static final String NEXT_KEY = "next-ca.key";

  Pki {
    trusted = List.copyOf(trusted);
    chain = List.copyOf(chain);
  }

  /** What agents trust, PEM. */
  String caPem() throws GeneralSecurityException {
    return pem(trusted);
  }

  Instant serverEnd() {
    return server.certificate().getNotAfter().toInstant();
  }

  /** What should be stored now: {@code this}, when nothing is due. */
  static Pki due(
      Optional<Pki> stored, Collection<String> hosts, Instant now, Certificates certificates)
      throws GeneralSecurityException {
    Pki pki = stored.orElse(null);
    if (pki != null && pki.active == null) {
      return pki;
    }
    Pair active = pki == null ? null : pki.active;
    Pair next = pki == null ? null : pki.next;
    List<X509Certificate> previous = pki == null ? List.of() : pki.trusted;
    if (active != null && next == null && ends(active, now.plus(NEXT_BEFORE_END))) {
      next = certificates.authority(now, AUTHORITY_LIFE);
    }
    if (active != null && next != null && ends(active, now.plus(SWITCH_BEFORE_END))) {
      active = next;
      next = null;
    }
    if (active == null || ends(active, now)) {
      active = certificates.authority(now, AUTHORITY_LIFE);
    }
    Pair server = pki == null ? null : pki.server;
    if (server == null
        || ends(server, now.plus(SERVER_RENEW_BEFORE_END))
        || !server
            .certificate()
            .getIssuerX500Principal()
            .equals(active.certificate().getSubjectX500Principal())
        || !Certificates.hosts(server.certificate()).equals(Certificates.normal(hosts))) {
      server = certificates.server(active, hosts, now, SERVER_LIFE);
    }
    List<X509Certificate> trusted = new ArrayList<>();
    trusted.add(active.certificate());
    if (next != null) {
      trusted.add(next.certificate());
    }
    for (X509Certificate old : previous) {
      if (!trusted.contains(old) && old.getNotAfter().toInstant().isAfter(now)) {
        trusted.add(old);
      }
    }
    return new Pki(active, next, trusted, server, List.of(server.certificate()));
  }

  private static boolean ends(Pair pair, Instant by) {
    return !pair.certificate().getNotAfter().toInstant().isAfter(by);
  }

  Map<String, String> data() throws GeneralSecurityException {
    Map<String, String> data = new LinkedHashMap<>();
    data.put(CA, pem(trusted));
    data.put(TLS, pem(chain));
    data.put(TLS_KEY, Certificates.pem(server.key()));
    if (active != null) {
      data.put(ACTIVE, Certificates.pem(active.certificate()));
      data.put(ACTIVE_KEY, Certificates.pem(active.key()));
    }
    if (next != null) {
      data.put(NEXT, Certificates.pem(next.certificate()));
      data.put(NEXT_KEY, Certificates.pem(next.key()));
    }
    return data;
  }

  /**
   * Reads a Secret of ours, or one of cert-manager's (no {@code active-ca} keys): then nothing here
   * is ever due.
   *
   * @throws GeneralSecurityException when it holds neither
   */
  static Pki of(Map<String, String> data) throws GeneralSecurityException {
    String ca = data.get(CA);
    String tls = data.get(TLS);
    String tlsKey = data.get(TLS_KEY);
    if (ca == null || tls == null || tlsKey == null) {
      throw new GeneralSecurityException(CA + ", " + TLS + " or " + TLS_KEY + " is missing");
    }
    List<X509Certificate> chain = Certificates.certificates(tls);
    X509Certificate first = chain.getFirst();
    return new Pki(
        pair(data, ACTIVE, ACTIVE_KEY),
        pair(data, NEXT, NEXT_KEY),
        Certificates.certificates(ca),
        new Pair(first, Certificates.key(tlsKey, first)),
        chain);
  }

  private static @Nullable Pair pair(Map<String, String> data, String crt, String key)
      throws GeneralSecurityException {
    String certificate = data.get(crt);
    String secret = data.get(key);
    if (certificate == null || secret == null) {
      return null;
    }
    X509Certificate x509 = Certificates.certificates(certificate).getFirst();
    return new Pair(x509, Certificates.key(secret, x509));
  }

  private static String pem(List<X509Certificate> certificates) throws GeneralSecurityException {
    StringBuilder pem = new StringBuilder();
    for (X509Certificate certificate : certificates) {
      pem.append(Certificates.pem(certificate));
    }
    return pem.toString();
  }
}
