package dev.crowdlab.hub;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.hub.SecretStore.SecretStoreException;
import dev.crowdlab.hub.SecretStore.Stored;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who the hub is for its agents: a server certificate under an authority of its own, kept in one
 * Secret, made by whichever replica comes first. A Secret that somebody else fills (cert-manager:
 * {@code tls.crt}, {@code tls.key}, {@code ca.crt}) is used as it is. One that is deleted is
 * written again as it was, if it was ours: agents trust none but its authority.
 */
public final class HubIdentity {

  private static final int MAX_ATTEMPTS = 5;
  private static final String MANAGED_BY = "app.kubernetes.io/managed-by";

  private static final Logger log = LoggerFactory.getLogger(HubIdentity.class);

  private final SecretStore secrets;
  private final String secretName;
  private final List<String> hosts;
  private final HubClock clock;
  private final Certificates certificates;
  private Optional<Pki> last = Optional.empty();

  /**
   * What the server speaks TLS with.
   *
   * @param password of the key in the store; guards nothing, the JDK asks for one
   * @param caPem what agents trust
   * @param end of the server's certificate
   */
  record Material(KeyStore keyStore, String password, String caPem, Instant end) {}

  /**
   * An identity that is read and made when it is asked for.
   *
   * @param hosts the names and addresses under which agents reach the hub
   */
  public HubIdentity(
      SecretStore secrets,
      String secretName,
      Collection<String> hosts,
      HubClock clock,
      SecureRandom random) {
    this.secrets = requireNonNull(secrets, "secrets");
    this.secretName = requireNonNull(secretName, "secretName");
    this.hosts = List.copyOf(hosts);
    this.clock = requireNonNull(clock, "clock");
    this.certificates = new Certificates(random);
  }

  /**
   * The certificates as they should be now, made or renewed where due.
   *
   * @throws SecretStoreException when they cannot be read or stored
   * @throws GeneralSecurityException when the Secret holds what cannot be used
   */
  synchronized Material ensure() throws GeneralSecurityException {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<Stored> stored = secrets.get(secretName);
      if (stored.isEmpty() && last.filter(pki -> pki.active() == null).isPresent()) {
        throw new GeneralSecurityException(
            "Secret " + secretName + " is gone; who made it must make it again");
      }
      Optional<Pki> before = stored.isPresent() ? Optional.of(read(stored.get())) : last;
      Pki after = Pki.due(before, hosts, clock.now(), certificates);
      if (stored.isPresent() && after.data().equals(before.orElseThrow().data())) {
        return known(after);
      }
      Optional<Stored> written =
          stored.isPresent()
              ? secrets.replace(stored.get(), after.data())
              : secrets.create(secretName, Map.of(MANAGED_BY, "crowdlab"), after.data());
      if (written.isPresent()) {
        log.info("hub certificate stored, valid until {}", after.serverEnd());
        return known(after);
      }
    }
    throw new SecretStoreException(
        "cannot store the hub's certificate",
        new IllegalStateException("changed by somebody else " + MAX_ATTEMPTS + " times"));
  }

  private Pki read(Stored stored) throws GeneralSecurityException {
    try {
      return Pki.of(stored.data());
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new GeneralSecurityException(
          "Secret "
              + secretName
              + " holds no certificate and key that can be used; correct it, or delete it to have"
              + " new ones made",
          e);
    }
  }

  private Material known(Pki pki) throws GeneralSecurityException {
    Material material = material(pki);
    last = Optional.of(pki);
    return material;
  }

  private static Material material(Pki pki) throws GeneralSecurityException {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      String password = "hub";
      store.setKeyEntry(
          "hub",
          pki.server().key(),
          password.toCharArray(),
          pki.chain().toArray(X509Certificate[]::new));
      return new Material(store, password, pki.caPem(), pki.serverEnd());
    } catch (IOException e) {
      throw new GeneralSecurityException(e);
    }
  }
}
