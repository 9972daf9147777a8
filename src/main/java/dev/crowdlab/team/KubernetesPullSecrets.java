package dev.crowdlab.team;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.SecretRef;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/** Pull secrets from the team's own namespace. */
public final class KubernetesPullSecrets implements PullSecrets {

  private static final String TYPE = "kubernetes.io/dockerconfigjson";
  private static final String KEY = ".dockerconfigjson";
  private static final int MAX_BYTES = 64 * 1024;

  private final KubernetesClient client;

  public KubernetesPullSecrets(KubernetesClient client) {
    this.client = requireNonNull(client, "client");
  }

  @Override
  public Outcome<Optional<RegistryAuth>> of(LabTeam team) {
    SecretRef ref = team.getSpec().exercise().imagePullSecretRef();
    if (ref == null) {
      return Outcome.done(Optional.empty());
    }
    String namespace = team.getMetadata().getNamespace();
    Secret secret = client.secrets().inNamespace(namespace).withName(ref.name()).get();
    if (secret == null) {
      return Outcome.later(
          Reason.SECRET_NOT_FOUND, "there is no Secret " + ref.name() + " in this namespace");
    }
    String data = Optional.ofNullable(secret.getData()).orElse(Map.of()).get(KEY);
    if (!TYPE.equals(secret.getType()) || data == null) {
      return Outcome.refused(
          Reason.SECRET_INVALID,
          "Secret %s must be of type %s and have the key %s".formatted(ref.name(), TYPE, KEY));
    }
    try {
      byte[] file = Base64.getDecoder().decode(data);
      if (file.length > MAX_BYTES) {
        return Outcome.refused(
            Reason.SECRET_INVALID,
            "Secret %s holds more than %d bytes".formatted(ref.name(), MAX_BYTES));
      }
      return Outcome.done(Optional.of(new RegistryAuth(new String(file, UTF_8))));
    } catch (IllegalArgumentException e) {
      return Outcome.refused(
          Reason.SECRET_INVALID, "Secret %s is not base64".formatted(ref.name()));
    }
  }
}
