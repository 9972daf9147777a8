package dev.crowdlab.operator;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.ssh.HostKeyPin;
import dev.crowdlab.ssh.SshTarget;
import dev.crowdlab.vm.Credentials;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How to log in to the file server: asked for at each connect, so that a corrected Secret is used
 * at once.
 */
record FileServerTarget(KubernetesClient client, String namespace, Config.FileServer config)
    implements Supplier<Outcome<SshTarget>> {

  @Override
  public Outcome<SshTarget> get() {
    HostKeyPin pin;
    try {
      pin = HostKeyPin.parse(config.hostKey());
    } catch (IllegalArgumentException e) {
      return Outcome.refused(
          Reason.FILE_SERVER_UNAVAILABLE,
          "fileServer.hostKey of the operator's configuration is of no use: " + e.getMessage());
    }
    try {
      return Credentials.from(
              config.credentialsSecret(),
              Optional.ofNullable(
                  client
                      .secrets()
                      .inNamespace(namespace)
                      .withName(config.credentialsSecret())
                      .get()))
          .map(
              credentials ->
                  new SshTarget(
                      config.host(),
                      config.port(),
                      config.user(),
                      config.usesSudo(),
                      pin,
                      credentials));
    } catch (KubernetesClientException e) {
      return Outcome.later(
          Reason.FILE_SERVER_UNAVAILABLE, "the file server's Secret could not be read");
    }
  }
}
