package dev.crowdlab.testbed;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A real machine: its own systemd, sshd, network and mounts. Faults are honest: a machine that is
 * off or cut off is silent. Closing it removes it and all it had.
 */
public final class LabHost implements AutoCloseable {
  private final LabNetwork network;
  private final String name;
  private final Path folder;

  LabHost(LabNetwork network, String name, Path folder) {
    this.network = network;
    this.name = name;
    this.folder = folder;
  }

  public String name() {
    return name;
  }

  public String address() {
    return LabNetwork.read(folder.resolve("address")).strip();
  }

  public int sshPort() {
    return Integer.parseInt(LabNetwork.read(folder.resolve("port")).strip());
  }

  /** Who may log in. */
  public String user() {
    return LabNetwork.read(folder.resolve("user")).strip();
  }

  /** The key that lets {@link #user()} in. */
  public String privateKey() {
    return network.privateKey();
  }

  /**
   * The host's public key, as {@code type base64}.
   *
   * @param type ed25519, ecdsa or rsa
   */
  public String hostKey(String type) {
    return LabNetwork.read(folder.resolve("known_hosts"))
        .lines()
        .map(line -> line.split(" "))
        .filter(words -> words[1].contains(type))
        .map(words -> words[1] + " " + words[2])
        .findFirst()
        .orElseThrow();
  }

  /** The host's fingerprint as OpenSSH prints it, {@code SHA256:...}. */
  public String fingerprint(String type) {
    byte[] blob = Base64.getDecoder().decode(hostKey(type).split(" ")[1]);
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(blob);
      return "SHA256:" + Base64.getEncoder().withoutPadding().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Runs a command inside, as root, to look at what is so; not the way of a product.
   *
   * @throws IllegalStateException when it fails
   */
  public String exec(String... words) {
    return network.lab("exec", name, words);
  }

  /** As {@link #exec}, with a script for the shell. */
  public String shell(String script) {
    return exec("sh", "-euc", script);
  }

  /** Whether a command inside succeeds. */
  public boolean succeeds(String... words) {
    return network.tryLab(Duration.ofMinutes(1), "exec", name, words).status() == 0;
  }

  /** Runs a command by a real SSH client that knows the host's keys and has the network's key. */
  public String ssh(String... words) {
    return network.lab("ssh", name, words);
  }

  /**
   * Every file with its type, mode, owner, size or link target, and the digest of each that differs
   * from the installation; volatile paths (logs, caches, /run, /tmp) aside. It waits for the end of
   * the boot: podman's own units make folders there when logins are possible already.
   */
  public Set<String> listing() {
    shell("timeout 60 systemctl is-system-running --wait >/dev/null || true");
    return network.lab("listing", name).lines().collect(Collectors.toCollection(TreeSet::new));
  }

  /** The power fails: silence, then every process is gone at once. What was on disk stays. */
  public void powerCut() {
    network.lab("power-cut", name);
  }

  /** Shuts down in order; then it is as silent as after {@link #powerCut()}. */
  public void stop() {
    network.lab("stop", name);
  }

  /** Boots a machine that is off, on its disk, and waits for its SSH server. */
  public void start() {
    network.lab("start", name);
  }

  public void reboot() {
    network.lab("reboot", name);
  }

  /** Nothing gets to it or from it, and nobody is told. */
  public void partition() {
    network.lab("partition", name);
  }

  /** Nothing passes between it and another host. */
  public void cutFrom(LabHost other) {
    cutFrom(other.address());
  }

  /**
   * Nothing passes between it and an address.
   *
   * @param address an IPv4 address or prefix
   */
  public void cutFrom(String address) {
    network.lab("cut", name, address);
  }

  /** Loses this share of its packets, each way. */
  public void lossy(int percent) {
    network.lab("lossy", name, Integer.toString(percent));
  }

  /** Ends {@link #partition}, {@link #cutFrom} and {@link #lossy}. */
  public void heal() {
    network.lab("heal", name);
  }

  /** All its processes hang; its kernel still answers. */
  public void freeze() {
    network.lab("freeze", name);
  }

  public void thaw() {
    network.lab("thaw", name);
  }

  /** Puts a file on it. */
  public void write(String path, String text) {
    // The text travels as one word, not through a shell.
    exec(
        "sh",
        "-euc",
        "printf %s \"$2\" | base64 -d >\"$1\"",
        "sh",
        path,
        Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  public void close() {
    network.lab("down", name);
  }

  @Override
  public String toString() {
    return name + " at " + address();
  }
}
