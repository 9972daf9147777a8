package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.SecretStore.SecretStoreException;
import dev.crowdlab.hub.SecretStore.Stored;
import dev.crowdlab.testbed.ControlPlane;
import dev.crowdlab.testbed.RequiresTestBed;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@RequiresTestBed(labHosts = false)
class KubernetesSecretsIT {

  private static final String NAMESPACE = "hub-secrets-it";
  private static final String LABEL = "app.kubernetes.io/component";

  private final KubernetesClient client;
  private final KubernetesSecrets secrets;

  KubernetesSecretsIT(ControlPlane controlPlane) {
    client = controlPlane.admin();
    secrets = new KubernetesSecrets(client, NAMESPACE);
  }

  @BeforeAll
  static void make(ControlPlane controlPlane) {
    controlPlane
        .admin()
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).endMetadata().build())
        .create();
  }

  @AfterAll
  static void remove(ControlPlane controlPlane) {
    controlPlane.admin().namespaces().withName(NAMESPACE).delete();
  }

  @Test
  void whatWasWrittenIsRead() {
    Stored made = secrets.create("a", Map.of(LABEL, "one"), Map.of("key", "wört")).orElseThrow();

    assertThat(secrets.get("a")).contains(made);
    assertThat(made.data()).containsEntry("key", "wört");
    assertThat(secrets.list(LABEL, "one")).containsExactly(made);
    assertThat(secrets.list(LABEL, "two")).isEmpty();
    assertThat(secrets.get("nobody")).isEmpty();
  }

  @Test
  void onlyTheFirstOfTwoReplicasMakesOne() {
    secrets.create("b", Map.of(), Map.of("key", "first"));

    assertThat(secrets.create("b", Map.of(), Map.of("key", "second"))).isEmpty();
    assertThat(secrets.get("b").orElseThrow().data()).containsEntry("key", "first");
  }

  @Test
  void aWriteOnTopOfAnothersIsRefusedAndKeepsNothingOfTheOldData() {
    Stored read = secrets.create("c", Map.of(LABEL, "c"), Map.of("old", "1")).orElseThrow();
    Stored theirs = secrets.replace(read, Map.of("new", "2")).orElseThrow();

    assertThat(secrets.replace(read, Map.of("new", "3"))).isEmpty();
    assertThat(secrets.get("c")).contains(theirs);
    assertThat(theirs.data()).containsOnlyKeys("new");
    assertThat(theirs.labels()).containsEntry(LABEL, "c");
  }

  @Test
  void aWriteToOneThatIsGoneIsRefused() {
    Stored read = secrets.create("d", Map.of(), Map.of("old", "1")).orElseThrow();
    secrets.delete("d");
    secrets.delete("d");

    assertThat(secrets.replace(read, Map.of("new", "2"))).isEmpty();
    assertThat(secrets.get("d")).isEmpty();
  }

  @Test
  void aServerThatRefusesIsSaid() {
    KubernetesSecrets nowhere = new KubernetesSecrets(client, "no-such-namespace");

    assertThatThrownBy(() -> nowhere.list("not a label!", "x"))
        .isInstanceOf(SecretStoreException.class);
  }

  @Test
  void tokensAndCertificatesLiveInRealSecrets() throws Exception {
    HubClock clock = HubClock.system();
    VmRef vm = new VmRef("lab", "a".repeat(253), "b0b3c1de-7a55-4c69-9d5c-0123456789ab");
    Tokens tokens = new Tokens(secrets, clock, new SecureRandom());
    String token = tokens.issue(vm);
    Tokens successor = new Tokens(secrets, clock, new SecureRandom());
    successor.load();
    assertThat(successor.verify(vm.uid(), token)).isPresent();

    HubIdentity identity =
        new HubIdentity(secrets, "hub-tls", List.of("10.77.0.1"), clock, new SecureRandom());
    String caPem = identity.ensure().caPem();
    assertThat(identity.ensure().caPem()).isEqualTo(caPem);
  }
}
