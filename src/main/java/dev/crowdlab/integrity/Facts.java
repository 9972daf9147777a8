package dev.crowdlab.integrity;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a machine says about itself, parsed and bounded but not believed: it runs on a stranger's
 * hypervisor.
 *
 * @param os {@code ID} of /etc/os-release
 * @param osVersion {@code VERSION_ID} of /etc/os-release; empty for a rolling release
 * @param osName {@code PRETTY_NAME} of /etc/os-release
 * @param kernel {@code uname -r}
 * @param arch {@code uname -m}
 * @param cpus processors online
 * @param memoryBytes memory of the machine
 * @param diskFreeBytes space that is free where containers are stored
 * @param machineIdHash SHA-256 of the machine-id, in hex; the id itself stays on the machine
 * @param bootId the kernel's boot id
 * @param taint the kernel's taint bits, 0: none
 * @param packageManager {@code apt}, {@code dnf}, ... or empty
 * @param init what runs as process 1, e.g. {@code systemd}
 * @param agentVersion digest of the installed agent's archive, null when there is none
 * @param tools whether each program that the agent needs is there
 * @param verification what the package manager finds
 * @param files the protected files, by path
 * @param uidZero names of the accounts with uid 0
 * @param authorizedKeys keys that may log in
 * @param listeners sockets that accept connections from outside the machine
 * @param unmeasured parts of the probe that could not be carried out, by stable name
 */
public record Facts(
    String os,
    String osVersion,
    String osName,
    String kernel,
    String arch,
    int cpus,
    long memoryBytes,
    long diskFreeBytes,
    String machineIdHash,
    String bootId,
    long taint,
    String packageManager,
    String init,
    @Nullable String agentVersion,
    Map<String, Boolean> tools,
    List<PackageFinding> verification,
    Map<String, ProtectedFile> files,
    List<String> uidZero,
    List<AuthorizedKey> authorizedKeys,
    List<Listener> listeners,
    List<String> unmeasured) {

  public Facts {
    tools = Map.copyOf(tools);
    verification = List.copyOf(verification);
    files = Map.copyOf(files);
    uidZero = List.copyOf(uidZero);
    authorizedKeys = List.copyOf(authorizedKeys);
    listeners = List.copyOf(listeners);
    unmeasured = List.copyOf(unmeasured);
  }

  /**
   * A file that is not as its package installed it.
   *
   * @param missing whether it is gone; else its content differs
   * @param configuration whether the package expects its content to be edited
   */
  public record PackageFinding(String path, boolean missing, boolean configuration) {}

  /**
   * A protected file.
   *
   * @param digest SHA-256 of its content in hex, or {@code link:} and the target
   * @param mode permission bits, owner and group, e.g. {@code 0755:0:0}
   * @param owner the package that owns it and that package's version, {@code name=version}; null
   *     when no package does
   */
  public record ProtectedFile(String digest, String mode, @Nullable String owner) {}

  /**
   * A key that may log in.
   *
   * @param user the account
   * @param digest SHA-256 of the line (options included, comment left out), in hex
   */
  public record AuthorizedKey(String user, String digest) {}

  /**
   * A socket that accepts connections.
   *
   * @param protocol {@code tcp} or {@code udp}
   * @param address the local address, e.g. {@code 0.0.0.0} or {@code ::}
   */
  public record Listener(String protocol, String address, int port) {}
}
