package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.testbed.LabHost;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All that is on a machine: its files with their modes and owners (and the content of each that
 * differs from the installation), accounts, units, packages, and what podman keeps. Logs, caches
 * and volatile paths are left out, and what the package manager and the linker note for themselves.
 */
final class Footprint {

  private static final Pattern NOTES =
      Pattern.compile(
          ".*\\./(etc/ld\\.so\\.cache|var/lib/apt/extended_states|var/lib/dpkg/(status|status-old|lock"
              + "|lock-frontend|available|diversions-old|triggers/.*)|var/lib/systemd/(random-seed|timesync/.*))("
              + " .*|$)");

  private final String host;
  private final Set<String> lines;

  private Footprint(String host, Set<String> lines) {
    this.host = host;
    this.lines = lines;
  }

  static Footprint of(LabHost host) {
    return new Footprint(
        host.name(),
        Stream.of(
                host.listing().stream().filter(line -> !NOTES.matcher(line).matches()),
                named("account", host.exec("cat", "/etc/passwd", "/etc/group", "/etc/shadow")),
                // Columns are padded to the longest; what systemd made up since the boot is
                // volatile.
                named(
                    "unit",
                    host.shell(
                        "systemctl list-unit-files --no-legend --no-pager"
                            + " | awk '$2 !~ /^(transient|generated)$/ { print $1, $2 }'")),
                named(
                    "running",
                    host.shell(
                        "systemctl list-units --type=service,timer,socket --state=active,failed"
                            + " --plain --no-legend --no-pager | awk '{ print $1 }' | grep -v"
                            + " '^systemd-\\|^apt-\\|^user@\\|^user-runtime\\|^podman[.]service$'"
                            + " || true")),
                named("package", host.shell("dpkg-query -W -f '${Package} ${Version}\\n'")),
                named("chosen", host.exec("apt-mark", "showmanual")),
                named("mount", host.shell("awk '{ print $2 }' /proc/mounts | grep -v ^/run")),
                named(
                    "kernel",
                    host.shell("cat /proc/sys/net/ipv4/ip_forward; ls -d /run/netns 2>&1 || true")),
                named(
                    "container engine",
                    host.shell(
                        """
                        command -v podman >/dev/null || exit 0
                        podman images --all --format 'image {{.Repository}}:{{.Tag}} {{.Id}}'
                        podman ps --all --format 'container {{.Names}}'
                        podman pod ps --format 'pod {{.Name}}'
                        podman volume ls --format 'volume {{.Name}}'
                        podman network ls --format 'network {{.Name}}'
                        """)),
                named("rule", host.shell("! command -v nft >/dev/null || nft list tables")))
            .flatMap(all -> all)
            .collect(Collectors.toCollection(TreeSet::new)));
  }

  private static Stream<String> named(String kind, String text) {
    return text.lines().filter(line -> !line.isBlank()).map(line -> kind + " " + line.strip());
  }

  /** The machine is now as it was then. */
  void assertSame(Footprint then) {
    assertThat(without(then)).as("came to " + host).isEmpty();
    assertThat(then.without(this)).as("went from " + host).isEmpty();
  }

  /** Whether anything of CrowdLab is on the machine. */
  boolean isInstalled() {
    return lines.stream().anyMatch(line -> line.startsWith("./opt/crowdlab "));
  }

  private List<String> without(Footprint other) {
    return lines.stream().filter(line -> !other.lines.contains(line)).toList();
  }
}
