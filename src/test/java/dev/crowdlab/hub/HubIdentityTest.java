package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.hub.HubIdentity.Material;
import dev.crowdlab.hub.SecretStore.SecretStoreException;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.SecureRandom;
import java.security.SignatureException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HubIdentityTest {

  private static final String SECRET = "crowdlab-hub-tls";

  private final ManualTime time = new ManualTime();
  private final FakeSecrets secrets = new FakeSecrets();
  private final HubIdentity identity = replica("10.77.0.1", "Hub.Example.org", "fd00::0001");

  private HubIdentity replica(String... hosts) {
    return new HubIdentity(secrets, SECRET, List.of(hosts), time.clock(), new SecureRandom());
  }

  private static X509Certificate server(Material material) throws GeneralSecurityException {
    return (X509Certificate) material.keyStore().getCertificate("hub");
  }

  private static List<X509Certificate> trusted(Material material) throws GeneralSecurityException {
    return Certificates.certificates(material.caPem());
  }

  /** What TLS does with them: some trusted authority signed the server's certificate. */
  private static boolean trusts(Material agents, Material server) throws GeneralSecurityException {
    for (X509Certificate authority : trusted(agents)) {
      try {
        server(server).verify(authority.getPublicKey());
        return true;
      } catch (SignatureException | InvalidKeyException e) {
        // Not this one.
      }
    }
    return false;
  }

  @Test
  void theFirstReplicaMakesACertificateForTheAdvertisedHosts() throws Exception {
    Material made = identity.ensure();

    assertThat(Certificates.hosts(server(made)))
        .isEqualTo(Certificates.normal(List.of("10.77.0.1", "hub.example.org", "fd00::1")));
    assertThat(trusts(made, made)).isTrue();
    assertThat(trusted(made).getFirst().getBasicConstraints()).isZero();
    assertThat(server(made).getBasicConstraints()).isEqualTo(-1);
    assertThat(Duration.between(time.clock().now(), made.end())).isEqualTo(Pki.SERVER_LIFE);
  }

  @Test
  void laterCallsAndOtherReplicasUseWhatIsThere() throws Exception {
    Material made = identity.ensure();

    Material again = replica("10.77.0.1", "hub.example.org", "fd00::1").ensure();

    assertThat(server(again)).isEqualTo(server(made));
    assertThat(again.caPem()).isEqualTo(made.caPem());
  }

  @Test
  void twoReplicasThatBeginAtOnceAgreeOnOneAuthority() throws Exception {
    HubIdentity other = replica("10.77.0.1", "hub.example.org", "fd00::1");
    List<Material> theirs = new ArrayList<>();
    secrets.beforeNextWrite(
        () -> {
          try {
            theirs.add(other.ensure());
          } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
          }
        });

    Material ours = identity.ensure();

    assertThat(ours.caPem()).isEqualTo(theirs.getFirst().caPem());
    assertThat(server(ours)).isEqualTo(server(theirs.getFirst()));
  }

  @Test
  void theServersCertificateIsRenewedBeforeItsEndUnderTheSameAuthority() throws Exception {
    Material first = identity.ensure();
    time.pass(Pki.SERVER_LIFE.minus(Pki.SERVER_RENEW_BEFORE_END).minusDays(1));
    assertThat(server(identity.ensure())).isEqualTo(server(first));

    time.pass(Duration.ofDays(2));
    Material second = identity.ensure();

    assertThat(server(second)).isNotEqualTo(server(first));
    assertThat(second.caPem()).isEqualTo(first.caPem());
    assertThat(trusts(first, second)).isTrue();
  }

  @Test
  void otherAdvertisedHostsGetACertificateAtOnceUnderTheSameAuthority() throws Exception {
    Material first = identity.ensure();

    Material second = replica("10.77.0.9").ensure();

    assertThat(Certificates.hosts(server(second))).containsExactly("10.77.0.9");
    assertThat(trusts(first, second)).isTrue();
  }

  @Test
  void anAuthorityIsReplacedWithAYearInWhichAgentsTrustBoth() throws Exception {
    Material first = identity.ensure();

    time.pass(Pki.AUTHORITY_LIFE.minus(Pki.NEXT_BEFORE_END).plusDays(1));
    Material announced = identity.ensure();
    assertThat(trusted(announced)).hasSize(2).containsAll(trusted(first));
    assertThat(trusts(first, announced)).as("the old one still signs").isTrue();

    time.pass(Pki.NEXT_BEFORE_END.minus(Pki.SWITCH_BEFORE_END));
    Material switched = identity.ensure();
    assertThat(trusts(announced, switched)).as("agents learnt of the new one in time").isTrue();
    assertThat(trusts(first, switched)).as("the new one signs").isFalse();
    assertThat(trusted(switched)).containsAll(trusted(first));

    time.pass(Pki.SWITCH_BEFORE_END);
    Material after = identity.ensure();
    assertThat(trusted(after)).hasSize(1).doesNotContainAnyElementsOf(trusted(first));
    assertThat(trusts(switched, after)).isTrue();
  }

  @Test
  void certManagersSecretIsUsedAsItIs() throws Exception {
    Material made = identity.ensure();
    SecretStore.Stored stored = secrets.get(SECRET).orElseThrow();
    Map<String, String> theirs = new LinkedHashMap<>(stored.data());
    theirs.keySet().removeIf(key -> key.startsWith("active-ca"));
    secrets.replace(stored, theirs);
    time.pass(Pki.SERVER_LIFE);

    Material used = identity.ensure();

    assertThat(server(used)).isEqualTo(server(made));
    assertThat(secrets.get(SECRET).orElseThrow().data()).isEqualTo(theirs);
  }

  @Test
  void aSecretOfOursThatIsDeletedIsWrittenAgainAsItWas() throws Exception {
    Material made = identity.ensure();
    Map<String, String> data = secrets.get(SECRET).orElseThrow().data();
    secrets.delete(SECRET);

    Material again = identity.ensure();

    assertThat(secrets.get(SECRET).orElseThrow().data()).isEqualTo(data);
    assertThat(again.caPem()).isEqualTo(made.caPem());
    assertThat(server(again)).isEqualTo(server(made));
  }

  @Test
  void certManagersSecretThatIsDeletedIsLeftToCertManager() throws Exception {
    identity.ensure();
    SecretStore.Stored stored = secrets.get(SECRET).orElseThrow();
    Map<String, String> theirs = new LinkedHashMap<>(stored.data());
    theirs.keySet().removeIf(key -> key.startsWith("active-ca"));
    secrets.replace(stored, theirs);
    identity.ensure();
    secrets.delete(SECRET);

    assertThatThrownBy(identity::ensure).hasMessageContaining(SECRET);

    assertThat(secrets.get(SECRET)).isEmpty();
  }

  @Test
  void aSecretThatCannotBeUsedIsSaidAndNotOverwritten() {
    secrets.create(SECRET, Map.of(), Map.of("tls.crt", "rubbish"));

    assertThatThrownBy(identity::ensure)
        .isInstanceOf(GeneralSecurityException.class)
        .hasMessageContaining(SECRET)
        .hasMessageContaining("delete it");
    assertThat(secrets.get(SECRET).orElseThrow().data()).containsEntry("tls.crt", "rubbish");
  }

  @Test
  void anApiServerThatIsAwayIsSaid() {
    secrets.away(true);

    assertThatThrownBy(identity::ensure).isInstanceOf(SecretStoreException.class);
  }
}
