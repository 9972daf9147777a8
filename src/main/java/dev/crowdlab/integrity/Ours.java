package dev.crowdlab.integrity;

import dev.crowdlab.integrity.Facts.Listener;
import java.util.List;
import java.util.Set;

/**
 * What CrowdLab itself puts on a machine: it comes and goes with us, so it is no part of a baseline
 * and never a finding. The agent's own files are checked by digest whenever a machine is
 * configured.
 *
 * @param firstPort first port on a machine for exercises
 * @param lastPort last one
 */
public record Ours(int firstPort, int lastPort) {

  /**
   * Where Linux takes ports for outgoing traffic from by default (ip_local_port_range): a udp
   * socket there is a client that waits for an answer, under another number each time.
   */
  private static final int FIRST_EPHEMERAL_PORT = 32_768;

  private static final List<String> FOLDERS =
      List.of("/etc/crowdlab", "/opt/crowdlab", "/run/crowdlab", "/var/lib/crowdlab");

  private static final List<String> FILES =
      List.of(
          "/etc/apt/apt.conf.d/90crowdlab",
          "/etc/systemd/system/crowdlab-agent.service",
          "/etc/systemd/system/libpod-.scope.d/50-crowdlab.conf",
          "/etc/systemd/system/multi-user.target.wants/crowdlab-agent.service",
          "/usr/local/bin/crowdlab-agent");

  /** Changed by every tool that adds an account, and by the installation of packages. */
  private static final Set<String> ACCOUNT_FILES =
      Set.of(
          "/etc/passwd",
          "/etc/passwd-",
          "/etc/group",
          "/etc/group-",
          "/etc/shadow",
          "/etc/shadow-",
          "/etc/gshadow",
          "/etc/gshadow-",
          "/etc/subuid",
          "/etc/subuid-",
          "/etc/subgid",
          "/etc/subgid-");

  /** Whether the file is ours, or made by what we run. */
  static boolean owns(String path) {
    return FILES.contains(path) || ProtectedPaths.cover(FOLDERS, path);
  }

  /**
   * Whether our configuration of a machine explains the change of a file that no package owns: it
   * adds a system user, and the packages that it installs add users and enable their units.
   */
  static boolean configurationExplains(String path, String digest) {
    boolean enablesUnit =
        path.matches("/etc/systemd/(system|user)/.+")
            && (digest.startsWith("link:/lib/systemd/")
                || digest.startsWith("link:/usr/lib/systemd/"));
    return ACCOUNT_FILES.contains(path) || enablesUnit;
  }

  /** Whether the socket says nothing about the contributor's machine. */
  boolean explains(Listener listener) {
    return (listener.port() >= firstPort && listener.port() <= lastPort)
        || (listener.protocol().equals("udp") && listener.port() >= FIRST_EPHEMERAL_PORT);
  }
}
