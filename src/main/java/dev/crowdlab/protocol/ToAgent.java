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
  @JsonSubTypes.Type(value = ToAgent.Uninstall.class, name = "uninstall"),
})
public sealed interface ToAgent {

  /**
   * Answers {@link FromAgent.Hello}; until it comes, the agent does nothing new.
   *
   * @param heartbeatMillis time between heartbeats, in 50..60000
   */
  record Welcome(int heartbeatMillis) implements ToAgent {
    public Welcome {
      Bounds.range(heartbeatMillis, 50, 60_000, "heartbeatMillis");
    }
  }

  /** Sets the time between heartbeats, in milliseconds, in 50..60000. */
  record Cadence(int heartbeatMillis) implements ToAgent {
    public Cadence {
      Bounds.range(heartbeatMillis, 50, 60_000, "heartbeatMillis");
    }
  }

  /**
   * Does ahead what needs no fence: pulls the images of a run that may come, or makes all of a run
   * whose epoch is settled, but for its mount. Never starts anything. Images are answered by
   * nothing, a run by {@link FromAgent.Prepared}; what failed is tried again when the run is
   * ordered, or when it is asked for ahead once more. What no run follows goes by itself.
   *
   * @param run the run that will be ordered, still without its mount; null: only images are wanted
   */
  record Prepare(
      String teamUid, List<String> images, @Nullable RegistryAuth registryAuth, @Nullable Run run)
      implements ToAgent {
    public Prepare {
      Bounds.uid(teamUid, "teamUid");
      images = Bounds.texts(images, Bounds.MAX_CONTAINERS, Bounds.MAX_LINE, "images");
    }

    /** For a run that may come. */
    public Prepare(String teamUid, List<String> images, @Nullable RegistryAuth registryAuth) {
      this(teamUid, images, registryAuth, null);
    }

    /** For a run that will. */
    public static Prepare of(Run run) {
      return new Prepare(run.teamUid(), List.of(), null, run.withMount(null));
    }
  }

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
      implements ToAgent {
    public Run {
      Bounds.uid(teamUid, "teamUid");
      Bounds.text(namespace, Bounds.MAX_NAME, "namespace");
      Bounds.text(name, Bounds.MAX_NAME, "name");
      Bounds.range(epoch, 1, Long.MAX_VALUE, "epoch");
      containers = Bounds.list(containers, Bounds.MAX_CONTAINERS, "containers");
      ports = Bounds.list(ports, Bounds.MAX_PORTS, "ports");
      sources = Bounds.texts(sources, Bounds.MAX_SOURCES, Bounds.MAX_NAME, "sources");
      Bounds.given(limits, "limits");
    }

    /** The same run with another mount. */
    public Run withMount(@Nullable Mount other) {
      return new Run(
          teamUid,
          namespace,
          name,
          epoch,
          other,
          containers,
          internet,
          ports,
          sources,
          registryAuth,
          limits);
    }

    /** The same run without its registry's credentials. */
    public Run withoutRegistryAuth() {
      return new Run(
          teamUid,
          namespace,
          name,
          epoch,
          mount,
          containers,
          internet,
          ports,
          sources,
          null,
          limits);
    }
  }

  /**
   * Stops everything of the team at or below the epoch and unmounts its workspace; answered by
   * {@link FromAgent.TeamGone}.
   */
  record Stop(String teamUid, String namespace, String name, long epoch, int graceMillis)
      implements ToAgent {
    public Stop {
      Bounds.uid(teamUid, "teamUid");
      Bounds.text(namespace, Bounds.MAX_NAME, "namespace");
      Bounds.text(name, Bounds.MAX_NAME, "name");
      Bounds.range(epoch, 0, Long.MAX_VALUE, "epoch");
      Bounds.range(graceMillis, 0, 600_000, "graceMillis");
    }
  }

  /** Asks who holds this socket; answered at once by {@link FromAgent.ChallengeAnswer}. */
  record Challenge(String nonce) implements ToAgent {
    public Challenge {
      Bounds.text(nonce, Bounds.MAX_NAME, "nonce");
    }
  }

  /**
   * Has the agent take away everything of ours, itself included: the way out when the operator can
   * no longer log in over SSH. Answered by {@link FromAgent.Leaving} at once and by {@link
   * FromAgent.Cleared} before the agent goes.
   */
  record Uninstall() implements ToAgent {}

  /**
   * A token to use from the next connection on; answered by {@link FromAgent.TokenStored} once it
   * is on disk.
   */
  record NewToken(String tokenId, String token) implements ToAgent {
    public NewToken {
      Bounds.text(tokenId, Bounds.MAX_NAME, "tokenId");
      Bounds.token(token, "token");
    }

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
   * @param synchronous whether a write returns only when the file server has it
   */
  record Mount(
      String address, int port, String login, String path, String hostKey, boolean synchronous) {
    public Mount {
      Bounds.text(address, Bounds.MAX_NAME, "address");
      Bounds.range(port, 1, 65_535, "port");
      Bounds.text(login, Bounds.MAX_NAME, "login");
      Bounds.text(path, Bounds.MAX_LINE, "path");
      Bounds.text(hostKey, Bounds.MAX_KEY, "hostKey");
    }

    /** With asynchronous writes. */
    public Mount(String address, int port, String login, String path, String hostKey) {
      this(address, port, login, path, hostKey, false);
    }

    /** The same, with these writes. */
    public Mount withSynchronous(boolean other) {
      return new Mount(address, port, login, path, hostKey, other);
    }
  }

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
      @Nullable String workspaceMountPath) {
    public Container {
      Bounds.text(name, Bounds.MAX_NAME, "name");
      Bounds.text(image, Bounds.MAX_LINE, "image");
      command = Bounds.texts(command, Bounds.MAX_ARGUMENTS, Bounds.MAX_ARGUMENT, "command");
      args = Bounds.texts(args, Bounds.MAX_ARGUMENTS, Bounds.MAX_ARGUMENT, "args");
      env = Bounds.texts(env, "env");
      Bounds.range(cpuMillis, 0, Long.MAX_VALUE, "cpuMillis");
      Bounds.range(memoryBytes, 0, Long.MAX_VALUE, "memoryBytes");
      Bounds.optional(workspaceMountPath, Bounds.MAX_LINE, "workspaceMountPath");
    }

    /** Without the environment's values: they may be secrets. */
    @Override
    public String toString() {
      return "Container[name=" + name + ", image=" + image + ", env=" + env.keySet() + "]";
    }
  }

  /** A container's port and the VM's port that leads to it. */
  record PublishedPort(String container, String name, int containerPort, int hostPort) {
    public PublishedPort {
      Bounds.text(container, Bounds.MAX_NAME, "container");
      Bounds.text(name, Bounds.MAX_NAME, "name");
      Bounds.range(containerPort, 1, 65_535, "containerPort");
      Bounds.range(hostPort, 1, 65_535, "hostPort");
    }
  }

  /** What the VM lends, over all its teams; 0: no limit. */
  record VmLimits(int teams, long cpuMillis, long memoryBytes) {
    public VmLimits {
      Bounds.range(teams, 0, Integer.MAX_VALUE, "limits.teams");
      Bounds.range(cpuMillis, 0, Long.MAX_VALUE, "limits.cpuMillis");
      Bounds.range(memoryBytes, 0, Long.MAX_VALUE, "limits.memoryBytes");
    }
  }

  /** Credentials of an image registry, as a podman auth file's text. */
  record RegistryAuth(String authFile) {
    public RegistryAuth {
      Bounds.text(authFile, Bounds.MAX_ARGUMENT, "authFile");
    }

    @Override
    public String toString() {
      return "RegistryAuth[***]";
    }
  }
}
