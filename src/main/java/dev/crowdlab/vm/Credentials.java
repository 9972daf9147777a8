package dev.crowdlab.vm;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.ssh.SshCredentials;
import io.fabric8.kubernetes.api.model.Secret;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads SSH credentials from a {@code kubernetes.io/ssh-auth} Secret. */
public final class Credentials {

  private Credentials() {}

  /**
   * The credentials in a Secret; failed with the field and the remedy when they are not there or of
   * no use.
   *
   * @param name the Secret's name, for the message
   * @param secret the Secret, when it exists
   */
  public static Outcome<SshCredentials> from(String name, Optional<Secret> secret) {
    if (secret.isEmpty()) {
      return refused(
          Reason.SECRET_NOT_FOUND,
          "Secret " + name + " does not exist; create it with type " + Names.SSH_SECRET_TYPE);
    }
    if (!Names.SSH_SECRET_TYPE.equals(secret.get().getType())) {
      return refused(
          Reason.SECRET_INVALID,
          "Secret "
              + name
              + " is of type "
              + secret.get().getType()
              + "; it must be of type "
              + Names.SSH_SECRET_TYPE
              + ": delete it and create it anew, as a type cannot be changed");
    }
    Map<String, String> data = secret.get().getData() == null ? Map.of() : secret.get().getData();
    try {
      String key = text(data.get(Names.SSH_PRIVATE_KEY));
      String password = text(data.get(Names.SSH_PASSWORD));
      if ((key == null || key.isBlank()) && (password == null || password.isEmpty())) {
        return refused(
            Reason.SECRET_INVALID,
            "Secret "
                + name
                + " has neither a private key under "
                + Names.SSH_PRIVATE_KEY
                + " nor a password under "
                + Names.SSH_PASSWORD);
      }
      return Outcome.done(new SshCredentials(key, text(data.get(Names.SSH_PASSPHRASE)), password));
    } catch (IllegalArgumentException | CharacterCodingException e) {
      return refused(
          Reason.SECRET_INVALID, "Secret " + name + " holds what is no text; store it as text");
    }
  }

  private static @Nullable String text(@Nullable String base64) throws CharacterCodingException {
    return base64 == null
        ? null
        : UTF_8.newDecoder().decode(ByteBuffer.wrap(Base64.getDecoder().decode(base64))).toString();
  }

  private static Outcome<SshCredentials> refused(Reason reason, String message) {
    return new Outcome.Failed<>(new Failure(Failure.Kind.TERMINAL, reason, message));
  }
}
