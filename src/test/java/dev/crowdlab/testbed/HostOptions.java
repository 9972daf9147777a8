package dev.crowdlab.testbed;

import java.util.List;
import java.util.stream.Stream;

/** What a lab host is made with; each word gives a new value. */
public final class HostOptions {
  private final List<String> words;

  private HostOptions(List<String> words) {
    this.words = words;
  }

  /** A machine that has podman and sshfs. */
  public static HostOptions full() {
    return new HostOptions(List.of("--root", "full"));
  }

  /** A machine without podman and sshfs; its package source has them. */
  public static HostOptions bare() {
    return new HostOptions(List.of("--root", "bare"));
  }

  /** A minimal Debian 13, whose sshd counts penalties for each address; it can carry no teams. */
  public static HostOptions trixie() {
    return new HostOptions(List.of("--root", "trixie"));
  }

  /**
   * A machine to keep workspaces, with a file system of its own at /srv/data: with user quotas
   * where the kernel has them.
   *
   * @param size of the file system, e.g. 256M
   */
  public static HostOptions fileServer(String size) {
    return new HostOptions(List.of("--root", "files", "--data", size));
  }

  /** /srv/data has no quota whatever the kernel can. */
  public HostOptions noQuota() {
    return with("--no-quota");
  }

  /**
   * A whole emulated machine with a kernel of its own instead: it has quotas and cgroup
   * controllers, nothing of podman is relaxed, and a power cut loses what was not synced. It has
   * what {@link #full} and {@link #fileServer} have, takes 20 s and more to boot and is slow; it
   * has no listing, and root must be who logs in.
   */
  public HostOptions emulated() {
    return with("--vm");
  }

  /** podman has localhost/exercise:1 already. */
  public HostOptions image() {
    return with("--image");
  }

  /** Its login is this user, who may sudo without a password; root may not log in. */
  public HostOptions sudoUser(String user) {
    return with("--sudo-user", user);
  }

  /** sshd takes this password too. */
  public HostOptions password(String password) {
    return with("--password", password);
  }

  public HostOptions sshPort(int port) {
    return with("--ssh-port", Integer.toString(port));
  }

  /** A further IPv4 address, e.g. for a machine that plays a host of the internet. */
  public HostOptions alsoAddress(String address) {
    return with("--also-address", address);
  }

  /**
   * All that it writes is on a disk of its own of this size, which can be full, e.g. 512M; it has
   * no listing.
   */
  public HostOptions disk(String size) {
    return with("--disk", size);
  }

  List<String> words() {
    return words;
  }

  private HostOptions with(String... more) {
    return new HostOptions(Stream.concat(words.stream(), Stream.of(more)).toList());
  }
}
