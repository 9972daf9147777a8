package dev.crowdlab.team;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.SecretRef;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/** Pull secrets from the team's own namespace. */
public final class KubernetesPullSecrets implements PullSecrets {

  private static final String TYPE = "kubernetes.io/dockerconfigjson";
  private static final String KEY = ".dockerconfigjson";
  private static final int MAX_BYTES = 64 * 1024;
  private static final String NO_LOGIN =
      "has no login under " + KEY + "; make it with kubectl create secret docker-registry";
  private static final ObjectMapper JSON = new ObjectMapper();

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
    return read(
        ref.name(),
        Optional.ofNullable(client.secrets().inNamespace(namespace).withName(ref.name()).get()));
  }

  static Outcome<Optional<RegistryAuth>> read(String name, Optional<Secret> secret) {
    if (secret.isEmpty()) {
      return Outcome.later(
          Reason.SECRET_NOT_FOUND, "there is no Secret " + name + " in this namespace");
    }
    String data = Optional.ofNullable(secret.get().getData()).orElse(Map.of()).get(KEY);
    if (!TYPE.equals(secret.get().getType()) || data == null) {
      return invalid(name, "must be of type %s and have the key %s".formatted(TYPE, KEY));
    }
    try {
      byte[] file = Base64.getDecoder().decode(data);
      if (file.length > MAX_BYTES) {
        return invalid(name, "holds more than %d bytes".formatted(MAX_BYTES));
      }
      // The API server sees to it that it is JSON, and no further.
      return JSON.readTree(file)
              .path("auths")
              .valueStream()
              .anyMatch(KubernetesPullSecrets::isLogin)
          ? Outcome.done(Optional.of(new RegistryAuth(new String(file, UTF_8))))
          : invalid(name, NO_LOGIN);
    } catch (IllegalArgumentException | IOException e) {
      return invalid(name, NO_LOGIN);
    }
  }

  /** Podman reads {@code auth} and nothing else. */
  private static boolean isLogin(JsonNode login) {
    try {
      byte[] decoded = Base64.getDecoder().decode(login.path("auth").asText());
      return new String(decoded, UTF_8).contains(":");
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static Outcome<Optional<RegistryAuth>> invalid(String name, String why) {
    return Outcome.refused(Reason.SECRET_INVALID, "Secret %s %s".formatted(name, why));
  }
}
