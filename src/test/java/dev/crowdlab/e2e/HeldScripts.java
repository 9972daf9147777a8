package dev.crowdlab.e2e;

import static org.awaitility.Awaitility.await;

import dev.crowdlab.testbed.LabHost;
import java.time.Duration;
import java.util.List;

/**
 * Holds a script of ours on a machine right before a chosen command, by a program of that name
 * which stands before the real one on the path.
 */
final class HeldScripts {

  private static final List<String> COMMANDS = List.of("tar", "mv", "systemctl", "userdel");
  private static final String PROGRAM =
      """
      #!/bin/sh
      # Waits where /run/hold tells it to, until /run/held goes.
      name=${0##*/}
      hold=$(cat /run/hold 2>/dev/null)
      case "$name $*" in
        ${hold:-nothing})
          echo "$PPID $$" >/run/held.new
          /usr/bin/mv /run/held.new /run/held
          while [ -e /run/held ]; do sleep 0.05; done ;;
      esac
      exec "$(PATH=${PATH#/usr/local/sbin:} command -v "$name")" "$@"
      """;

  private final LabHost machine;

  private HeldScripts(LabHost machine) {
    this.machine = machine;
  }

  static HeldScripts on(LabHost machine) {
    for (String command : COMMANDS) {
      machine.write("/usr/local/sbin/" + command, PROGRAM);
      machine.exec("chmod", "755", "/usr/local/sbin/" + command);
    }
    return new HeldScripts(machine);
  }

  /**
   * From now on.
   *
   * @param command with its arguments, as a pattern of the shell
   */
  void holdBefore(String command) {
    machine.write("/run/hold", command);
  }

  /** Waits until a script is held. */
  void awaitHeld(Duration bound) {
    await("a held script")
        .atMost(bound)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> machine.succeeds("test", "-e", "/run/held"));
    machine.exec("rm", "/run/hold");
  }

  /** The held script dies where it is. */
  void kill() {
    machine.shell("kill -9 $(cat /run/held); rm /run/held");
  }
}
