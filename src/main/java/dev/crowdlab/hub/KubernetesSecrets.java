package dev.crowdlab.hub;

import static java.util.Objects.requireNonNull;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** {@link SecretStore} on the API server; the client's request timeout is each call's deadline. */
public final class KubernetesSecrets implements SecretStore {

  private final KubernetesClient client;
  private final String namespace;

  public KubernetesSecrets(KubernetesClient client, String namespace) {
    this.client = requireNonNull(client, "client");
    this.namespace = requireNonNull(namespace, "namespace");
  }

  @Override
  public Optional<Stored> get(String name) {
    return call(
        "read Secret " + name,
        () ->
            Optional.ofNullable(client.secrets().inNamespace(namespace).withName(name).get())
                .map(KubernetesSecrets::stored));
  }

  @Override
  public List<Stored> list(String label, String value) {
    return call(
        "list Secrets",
        () ->
            client
                .secrets()
                .inNamespace(namespace)
                .withLabel(label, value)
                .list()
                .getItems()
                .stream()
                .map(KubernetesSecrets::stored)
                .toList());
  }

  @Override
  public Optional<Stored> create(
      String name, Map<String, String> labels, Map<String, String> data) {
    Secret secret = secret(new ObjectMetaBuilder().withName(name).withLabels(labels).build(), data);
    return unlessConflict(
        "create Secret " + name, () -> client.resource(secret).inNamespace(namespace).create());
  }

  @Override
  public Optional<Stored> replace(Stored read, Map<String, String> data) {
    Secret secret =
        secret(
            new ObjectMetaBuilder()
                .withName(read.name())
                .withLabels(read.labels())
                .withResourceVersion(read.version())
                .build(),
            data);
    return unlessConflict(
        "replace Secret " + read.name(),
        () -> client.resource(secret).inNamespace(namespace).update());
  }

  @Override
  public void delete(String name) {
    call(
        "delete Secret " + name,
        () -> client.secrets().inNamespace(namespace).withName(name).delete());
  }

  private Secret secret(ObjectMeta metadata, Map<String, String> data) {
    metadata.setNamespace(namespace);
    return new SecretBuilder()
        .withMetadata(metadata)
        .withType("Opaque")
        .withData(values(data, text -> Base64.getEncoder().encodeToString(bytes(text))))
        .build();
  }

  private static Stored stored(Secret secret) {
    return new Stored(
        secret.getMetadata().getName(),
        secret.getMetadata().getResourceVersion(),
        orEmpty(secret.getMetadata().getLabels()),
        values(
            orEmpty(secret.getData()),
            coded -> new String(Base64.getDecoder().decode(coded), StandardCharsets.UTF_8)));
  }

  private static Map<String, String> orEmpty(@Nullable Map<String, String> map) {
    return map == null ? Map.of() : map;
  }

  private static Map<String, String> values(Map<String, String> map, UnaryOperator<String> change) {
    Map<String, String> changed = new LinkedHashMap<>();
    map.forEach((key, value) -> changed.put(key, change.apply(value)));
    return changed;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private Optional<Stored> unlessConflict(String what, Supplier<Secret> write) {
    return call(
        what,
        () -> {
          try {
            return Optional.of(stored(write.get()));
          } catch (KubernetesClientException e) {
            // 404: it was deleted since it was read. 409 on create: another replica was faster.
            if (e.getCode() == HttpURLConnection.HTTP_CONFLICT
                || e.getCode() == HttpURLConnection.HTTP_NOT_FOUND) {
              return Optional.empty();
            }
            throw e;
          }
        });
  }

  private static <T> T call(String what, Supplier<T> work) {
    try {
      return work.get();
    } catch (KubernetesClientException | IllegalArgumentException e) {
      throw new SecretStoreException("cannot " + what, e);
    }
  }
}
