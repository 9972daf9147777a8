package dev.crowdlab.agent;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.protocol.Frames;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the operator wrote for this VM, in {@code /etc/crowdlab/agent.json}.
 *
 * @param hub the hub's endpoint, {@code wss://host:port/agent/v1}
 * @param vmUid the ContributedVM's UID
 * @param caFile the certificates (PEM) that the hub's must chain to
 * @param tokenFile the token that proves who this VM is
 * @param stateDir what must outlive a restart of the machine
 * @param runDir what must not: on a tmpfs
 * @param version the digest of the agent's archive; by default the name of the folder it is in
 * @param mountDeadSeconds how long a workspace's mount may be dead before its team is stopped
 * @param dns the resolvers of exercises that may reach the internet: public ones, as the VM's own
 *     usually has an address that they may not reach
 * @param user the system user whose rights sshfs runs with; root when there is none of that name
 */
record AgentConfig(
    URI hub,
    String vmUid,
    Path caFile,
    Path tokenFile,
    Path stateDir,
    Path runDir,
    @Nullable String version,
    @Nullable Integer mountDeadSeconds,
    @Nullable List<String> dns,
    @Nullable String user) {

  private static final int DEFAULT_MOUNT_DEAD_SECONDS = 60;
  private static final List<String> DEFAULT_DNS = List.of("9.9.9.9", "1.1.1.1");
  private static final String DEFAULT_USER = "crowdlab";

  AgentConfig {
    requireNonNull(hub, "hub is required");
    requireNonNull(vmUid, "vmUid is required");
    requireNonNull(caFile, "caFile is required");
    requireNonNull(tokenFile, "tokenFile is required");
    requireNonNull(stateDir, "stateDir is required");
    requireNonNull(runDir, "runDir is required");
    if (!"wss".equals(hub.getScheme())) {
      throw new IllegalArgumentException("hub must be a wss:// address");
    }
    if (mountDeadSeconds != null && mountDeadSeconds < 1) {
      throw new IllegalArgumentException("mountDeadSeconds must be at least 1");
    }
  }

  /**
   * Reads the file, strictly.
   *
   * @throws IOException when it is not there, or not such a file
   */
  static AgentConfig read(Path file) throws IOException {
    return Frames.mapper().readValue(Files.readString(file), AgentConfig.class);
  }

  int mountDeadSecondsOrDefault() {
    return mountDeadSeconds == null ? DEFAULT_MOUNT_DEAD_SECONDS : mountDeadSeconds;
  }

  List<String> dnsOrDefault() {
    return dns == null ? DEFAULT_DNS : dns;
  }

  String userOrDefault() {
    return user == null ? DEFAULT_USER : user;
  }
}
