package dev.crowdlab.vm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whose doing it is, by manifest.sh, that the agent's service does not run. */
class StoppedByOwnerTest {

  /** What systemd says is played; the rest is the script's own. */
  private static final String PLAYED =
      """

      STARTED=%s
      systemctl() {
        case $1 in
          is-enabled) [ %s = enabled ] ;;
          list-jobs) echo "7 %s" ;;
          show)
            case $4 in
              ActiveState) echo ActiveState=%s ;;
              Result) echo Result=%s ;;
              InactiveEnterTimestampMonotonic) echo InactiveEnterTimestampMonotonic=%s ;;
            esac ;;
        esac
      }
      stopped_by_owner && echo yes || echo no
      """;

  @TempDir Path folder;

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    // when,                          mark,  boot,     active,     result,  left, owner
    "runs,                            true,  enabled,  active,     success, 0,    no",
    "failed,                          true,  enabled,  failed,     signal,  9,    no",
    "stopped in order,                true,  enabled,  inactive,   success, 9,    yes",
    "on its way out,                  true,  enabled,  deactivating, success, 0,  yes",
    "disabled and the machine booted, true,  disabled, inactive,   success, 0,    yes",
    "enabled and not started yet,     true,  enabled,  inactive,   success, 0,    no",
    "placed and not enabled,          false, disabled, inactive,   success, 0,    no",
    "enabled and never started,       false, enabled,  inactive,   success, 0,    no",
    "disabled by a cut clean-up,      false, disabled, inactive,   success, 9,    no",
    "on its way out by a clean-up,    false, disabled, deactivating, success, 0,  no",
  })
  void onlyWhereWeHadStartedItIsItTheOwners(
      String when,
      boolean mark,
      String boot,
      String active,
      String result,
      String left,
      String owner)
      throws Exception {
    assertThat(answer(mark, boot, "", active, result, left)).as(when).isEqualTo(owner);
  }

  @ParameterizedTest
  @CsvSource({"restart, no", "stop, yes"})
  void anAgentThatIsOnItsWayOutToComeInAgainIsNotStopped(String job, String owner)
      throws Exception {
    String jobs = "crowdlab-agent.service " + job + " running";
    assertThat(answer(true, "enabled", jobs, "deactivating", "success", "0")).isEqualTo(owner);
  }

  private String answer(
      boolean mark, String boot, String jobs, String active, String result, String left)
      throws IOException, InterruptedException {
    Path started = folder.resolve("started");
    if (mark) {
      Files.createFile(started);
    }
    Process shell = new ProcessBuilder("/bin/sh", "-s").redirectErrorStream(true).start();
    try (OutputStream in = shell.getOutputStream();
        InputStream manifest =
            Objects.requireNonNull(VmAccess.class.getResourceAsStream("manifest.sh"))) {
      manifest.transferTo(in);
      in.write(PLAYED.formatted(started, boot, jobs, active, result, left).getBytes(UTF_8));
    }
    assertThat(shell.waitFor(20, TimeUnit.SECONDS)).as("ended in time").isTrue();
    return new String(shell.getInputStream().readAllBytes(), UTF_8).strip();
  }
}
