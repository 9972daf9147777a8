package dev.crowdlab.protocol;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the hub says to an agent: typed commands, never a shell line. Each is idempotent and may be
 * repeated after a reconnect.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(value = ToAgent.Welcome.class, name = "welcome"),
  @JsonSubTypes.Type(value = ToAgent.Cadence.class, name = "cadence"),
  @JsonSubTypes.Type(value = ToAgent.Prepare.class, name = "prepare"),
  @JsonSubTypes.Type(value = ToAgent.Run.class, name = "run"),
  @JsonSubTypes.Type(value = ToAgent.Stop.class, name = "stop"),
  @JsonSubTypes.Type(value = ToAgent.Challenge.class, name = "challenge"),
  @JsonSubTypes.Type(value = ToAgent.NewToken.class, name = "new-token"),
})
public sealed interface ToAgent {

  /**
   * Answers {@link FromAgent.Hello}; until it comes, the agent does nothing new.
   *
   * @param heartbeatMillis time between heartbeats, in 50..60000
   */
  record Welcome(int heartbeatMillis) implements ToAgent {}

  /** Sets the time between heartbeats, in milliseconds, in 50..60000. */
  record Cadence(int heartbeatMillis) implements ToAgent {}

  /**
   * Does ahead what needs no fence: pulls the images of a run that may come. Never starts anything.
   */
  record Prepare(String teamUid, List<String> images, @Nullable RegistryAuth registryAuth)
      implements ToAgent {}

  /**
   * Runs a team at an epoch: mounts its workspace and starts its containers, reporting each change
   * of state. A lower epoch than the VM has seen for the team is refused, a higher one replaces
   * what runs, the same one is answered with the present state.
   *
   * @param limits what the whole VM lends: the agent refuses a run that would exceed it
   */
  record Run(
      String teamUid,
      String namespace,
      String name,
      long epoch,
      @Nullable Mount mount,
      List<Container> containers,
      boolean internet,
      List<PublishedPort> ports,
      List<String> sources,
      @Nullable RegistryAuth registryAuth,
      VmLimits limits)
      implements ToAgent {}

  /**
   * Stops everything of the team at or below the epoch and unmounts its workspace; answered by
   * {@link FromAgent.TeamGone}.
   */
  record Stop(String teamUid, String namespace, String name, long epoch, int graceMillis)
      implements ToAgent {}

  /** Asks who holds this socket; answered at once by {@link FromAgent.ChallengeAnswer}. */
  record Challenge(String nonce) implements ToAgent {}

  /**
   * A token to use from the next connection on; answered by {@link FromAgent.TokenStored} once it
   * is on disk.
   */
  record NewToken(String tokenId, String token) implements ToAgent {
    @Override
    public String toString() {
      return "NewToken[tokenId=" + tokenId + ", token=***]";
    }
  }

  /**
   * Where an epoch's workspace is.
   *
   * @param address the file server's address, a literal
   * @param port the port of its sshd for workspaces
   * @param login the epoch's login name
   * @param path the directory below the login's root that holds the data
   * @param hostKey the public host key to pin (OpenSSH line: type and base64)
   * @param synchronous whether every write that returned is on the file server
   */
  record Mount(
      String address, int port, String login, String path, String hostKey, boolean synchronous) {}

  /**
   * One container, in the words of the Kubernetes Container.
   *
   * @param cpuMillis limit in thousandths of a core, 0: none
   * @param memoryBytes limit in bytes, 0: none
   * @param workspaceMountPath where the workspace appears, absolute; null: nowhere
   */
  record Container(
      String name,
      String image,
      List<String> command,
      List<String> args,
      Map<String, String> env,
      long cpuMillis,
      long memoryBytes,
      @Nullable String workspaceMountPath) {}

  /** A container's port and the VM's port that leads to it. */
  record PublishedPort(String container, String name, int containerPort, int hostPort) {}

  /** What the VM lends, over all its teams; 0: no limit. */
  record VmLimits(int teams, long cpuMillis, long memoryBytes) {}

  /** Credentials of an image registry, as a podman auth file's text. */
  record RegistryAuth(String authFile) {
    @Override
    public String toString() {
      return "RegistryAuth[***]";
    }
  }
}
