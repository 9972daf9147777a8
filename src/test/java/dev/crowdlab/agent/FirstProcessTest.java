package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FirstProcessTest {

  private static final String ID = "ab".repeat(32);

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    // SIGTERM is 15, SIGQUIT 3; a bit set stands for the signal one above it.
    "0000000000000000, 0000000000000000, false",
    "0000000000000000, 0000000000004000, true",
    "0000000000000000, 0000000000000004, false",
    "0000000000000000, 0000001000004000, true",
    "0000000000004000, 0000000000000000, true",
  })
  void aProcessHearsSigtermWhenItHasAHandlerForItOrWaitsForIt(
      String blocked, String caught, boolean hears) {
    String status =
        "Name:\thttpd\nSigBlk:\t%s\nSigIgn:\t0000000000004000\nSigCgt:\t%s\nCapInh:\t0\n"
            .formatted(blocked, caught);

    assertThat(FirstProcess.hearsSigterm(status)).isEqualTo(hears);
  }

  @Test
  void whatTellsNothingCountsAsOneThatHears() {
    assertThat(FirstProcess.hearsSigterm("Name:\tgone\n")).isTrue();
  }

  @Test
  void onlyARunningContainerWhoseStopSignalIsSigtermHasOne() {
    assertThat(FirstProcess.of(ID, "4711", "15")).contains(new FirstProcess(ID, 4711));
    assertThat(FirstProcess.of(ID, "4711", "SIGTERM")).contains(new FirstProcess(ID, 4711));
    assertThat(FirstProcess.of(ID, "0", "15")).as("does not run").isEmpty();
    assertThat(FirstProcess.of(ID, "4711", "3")).as("SIGQUIT").isEmpty();
    assertThat(FirstProcess.of("abc", "4711", "15")).isEmpty();
  }

  @Test
  void aProcessOfWhichNothingCanBeFoundOutIsStillThere() throws IOException {
    assertThat(FirstProcess.isThere(folder.resolve("gone"), ID)).isFalse();
    assertThat(FirstProcess.saysGone(new IOException("No such process"))).isTrue();
    assertThat(FirstProcess.saysGone(new IOException("Too many open files"))).isFalse();

    Files.createDirectory(folder.resolve("cgroup"));
    assertThat(FirstProcess.isThere(folder, ID)).as("a folder cannot be read").isTrue();

    Files.delete(folder.resolve("cgroup"));
    Files.writeString(folder.resolve("cgroup"), "0::/machine.slice/libpod-" + ID + ".scope\n");
    assertThat(FirstProcess.isThere(folder, ID)).isTrue();
    Files.writeString(folder.resolve("cgroup"), "0::/init.scope\n");
    assertThat(FirstProcess.isThere(folder, ID)).as("another process by now").isFalse();
  }

  @Test
  void aProcessOfAnotherGroupIsNotTakenForIt() {
    FirstProcess other = new FirstProcess(ID, ProcessHandle.current().pid());

    assertThat(other.isThere()).isFalse();
    other.stop();
    assertThat(other.awaitEnd(System.nanoTime() + Duration.ofSeconds(5).toNanos())).isTrue();
  }
}
