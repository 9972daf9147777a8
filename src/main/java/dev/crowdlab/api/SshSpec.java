package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How the operator reaches a machine. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record SshSpec(
    @JsonPropertyDescription(
            "The machine's host name or IP address. A name is resolved once per connection, "
                + "and the address that was checked is the one dialled.")
        @Required
        @Size(min = 1, max = 253)
        @ValidationRule(
            value = Cel.HOST,
            message =
                "must be a host name (letters, digits, - and .) or an IP address, without port or"
                    + " user")
        String host,
    @JsonPropertyDescription("The TCP port of the machine's sshd.")
        @Default("22")
        @Min(1)
        @Max(65535)
        Integer port,
    @JsonPropertyDescription(
            "The user to log in as: root, or one who may use sudo without a password.")
        @Required
        @Size(min = 1, max = 32)
        @ValidationRule(
            value = Cel.USER,
            message =
                "must be a login name: letters, digits, _, - and ., not beginning with - or .")
        String user,
    @JsonPropertyDescription(
            "Whether to use password-less sudo. By default true for every user other than "
                + "root.")
        @Nullable Boolean sudo,
    @JsonPropertyDescription(
            "The machine's pinned host key: a public key line as in "
                + "/etc/ssh/ssh_host_ed25519_key.pub, or a fingerprint as ssh-keygen -lf prints "
                + "it (SHA256:...). Left out, the key that the machine presents is shown in "
                + "status.hostKey and waits for approval.")
        @Nullable
        @Size(min = 1, max = 1024)
        @ValidationRule(
            value = Cel.HOST_KEY,
            message =
                "must be one OpenSSH public key line (ssh-ed25519, ecdsa-sha2-nistp* or ssh-rsa,"
                    + " then the whole key in base64) or a fingerprint (SHA256: and 43 characters);"
                    + " ssh-keyscan prints the first, ssh-keygen -lf the second")
        String hostKey,
    @JsonPropertyDescription(
            "The Secret with the credentials, of type kubernetes.io/ssh-auth: "
                + "ssh-privatekey, with passphrase if the key is encrypted; or password; the key "
                + "that Kubernetes requires is then a blank line.")
        @Required
        SecretRef credentialsSecretRef) {

  /** The port used when none is given. */
  public static final int DEFAULT_PORT = 22;

  /** Fills in the API's defaults where they were left out. */
  public SshSpec {
    port = Objects.requireNonNullElse(port, DEFAULT_PORT);
  }

  /** Whether commands go through sudo: as the spec says, else for every user other than root. */
  public boolean usesSudo() {
    return sudo != null ? sudo : !"root".equals(user);
  }
}
