package dev.crowdlab.team;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.util.Base64;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KubernetesPullSecretsTest {

  private static final String TYPE = "kubernetes.io/dockerconfigjson";
  private static final String KEY = ".dockerconfigjson";

  @ParameterizedTest
  @ValueSource(
      strings = {
        // "bob:secret"
        "{\"auths\":{\"registry.example.org\":{\"auth\":\"Ym9iOnNlY3JldA==\"}}}",
        "{\"auths\":{\"other.example.org\":{},\"registry.example.org\":{\"auth\":\"Ym9iOg==\"}}}",
      })
  void aFileWithALoginIsUsedAsItIs(String file) {
    assertThat(read(secret(TYPE, KEY, file)))
        .isEqualTo(Outcome.done(Optional.of(new RegistryAuth(file))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "\"bob:secret\"",
        "[]",
        "no JSON",
        "{\"auths\":{}}",
        "{\"auths\":\"bob:secret\"}",
        "{\"auths\":{\"registry.example.org\":{}}}",
        "{\"auths\":{\"registry.example.org\":{\"auth\":\"bob:secret\"}}}",
        // "secret"
        "{\"auths\":{\"registry.example.org\":{\"auth\":\"c2VjcmV0\"}}}",
      })
  void aFileWithoutALoginIsInvalidAndNothingOfItIsTold(String file) {
    assertInvalid(read(secret(TYPE, KEY, file)), "kubectl create secret docker-registry");
  }

  @Test
  void anotherTypeIsInvalid() {
    assertInvalid(read(secret("Opaque", KEY, "{}")), TYPE);
  }

  @Test
  void anotherKeyIsInvalid() {
    assertInvalid(read(secret(TYPE, "config.json", "{}")), KEY);
  }

  @Test
  void aFileOfAnUnreasonableSizeIsInvalid() {
    assertInvalid(read(secret(TYPE, KEY, "x".repeat(70_000))), "65536 bytes");
  }

  @Test
  void aMissingSecretMayCome() {
    assertThat(KubernetesPullSecrets.read("pull", Optional.empty()))
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> {
              assertThat(failed.failure().reason()).isEqualTo(Reason.SECRET_NOT_FOUND);
              assertThat(failed.failure().kind()).isEqualTo(Failure.Kind.TRANSIENT);
            });
  }

  private static void assertInvalid(Outcome<Optional<RegistryAuth>> outcome, String part) {
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> {
              assertThat(failed.failure().reason()).isEqualTo(Reason.SECRET_INVALID);
              assertThat(failed.failure().kind()).isEqualTo(Failure.Kind.TERMINAL);
              assertThat(failed.failure().message())
                  .contains("Secret pull", part)
                  .doesNotContain("bob", "c2VjcmV0");
            });
  }

  private static Outcome<Optional<RegistryAuth>> read(Secret secret) {
    return KubernetesPullSecrets.read("pull", Optional.of(secret));
  }

  private static Secret secret(String type, String key, String file) {
    return new SecretBuilder()
        .withType(type)
        .addToData(key, Base64.getEncoder().encodeToString(file.getBytes(UTF_8)))
        .build();
  }
}
