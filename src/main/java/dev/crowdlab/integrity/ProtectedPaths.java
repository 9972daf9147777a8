package dev.crowdlab.integrity;

import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/** The paths whose content counts: those of every machine, and those that a spec adds. */
public final class ProtectedPaths {

  /**
   * Protected on every machine: what decides who may log in, what runs as root beside or below the
   * teams, and whose packages are trusted. Account files are not among them, because every new user
   * and password changes them; what matters in them is measured by itself (uid 0, authorized keys).
   * A path that a machine lacks is protected too: that it appears is a change.
   */
  public static final List<String> ALWAYS =
      List.of(
          "/etc/apt/sources.list",
          "/etc/apt/sources.list.d",
          "/etc/apt/trusted.gpg.d",
          "/etc/containers/containers.conf",
          "/etc/containers/containers.conf.d",
          "/etc/containers/policy.json",
          "/etc/containers/registries.conf",
          "/etc/containers/storage.conf",
          "/etc/ld.so.preload",
          "/etc/nsswitch.conf",
          "/etc/pam.d",
          "/etc/ssh/sshd_config",
          "/etc/ssh/sshd_config.d",
          "/etc/sudoers",
          "/etc/sudoers.d",
          "/usr/bin/apt-get",
          "/usr/bin/bash",
          "/usr/bin/conmon",
          "/usr/bin/crun",
          "/usr/bin/dash",
          "/usr/bin/dpkg",
          "/usr/bin/dpkg-query",
          "/usr/bin/fusermount3",
          "/usr/bin/login",
          "/usr/bin/mount",
          "/usr/bin/passwd",
          "/usr/bin/podman",
          "/usr/bin/runc",
          "/usr/bin/ssh",
          "/usr/bin/sshfs",
          "/usr/bin/su",
          "/usr/bin/sudo",
          "/usr/bin/systemctl",
          "/usr/bin/umount",
          "/usr/lib/aarch64-linux-gnu/libc.so.6",
          "/usr/lib/aarch64-linux-gnu/security",
          "/usr/lib/openssh",
          "/usr/lib/podman",
          "/usr/lib/systemd/systemd",
          "/usr/lib/x86_64-linux-gnu/libc.so.6",
          "/usr/lib/x86_64-linux-gnu/security",
          "/usr/sbin/nft",
          "/usr/sbin/runc",
          "/usr/sbin/sshd");

  private ProtectedPaths() {}

  /** Those of every machine and those of a spec, sorted, each once, without a slash at the end. */
  public static List<String> of(Collection<String> ofSpec) {
    return Stream.concat(ALWAYS.stream(), ofSpec.stream().map(ProtectedPaths::plain))
        .sorted()
        .distinct()
        .toList();
  }

  /** Whether {@code path} is one of {@code roots} or lies below one. */
  static boolean cover(Collection<String> roots, String path) {
    return roots.stream()
        .anyMatch(
            root ->
                path.startsWith(root)
                    && (path.length() == root.length()
                        || root.endsWith("/")
                        || path.charAt(root.length()) == '/'));
  }

  /** As {@code find} prints what lies below it. */
  private static String plain(String path) {
    String plain = path.replaceAll("/+", "/");
    return plain.length() > 1 && plain.endsWith("/")
        ? plain.substring(0, plain.length() - 1)
        : plain;
  }
}
