package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.crowdlab.agent.Disks.Trial;
import dev.crowdlab.protocol.FromAgent.DiskState;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DisksTest {

  @TempDir Path folder;

  private final Disks disks = new Disks.OfThisMachine();

  @Test
  void aFolderThatCanBeWrittenIsLeftAsItWas() throws Exception {
    Path leftBehind = Files.createFile(folder.resolve(".crowdlab-disk0"));

    Trial trial = disks.write(folder, 3);

    assertThat(trial.state()).contains(DiskState.WRITABLE);
    assertThat(trial.usable()).isPositive();
    assertThat(leftBehind).doesNotExist();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aFolderThatIsNotThereProvesNothing() {
    Trial trial = disks.write(folder.resolve("gone"), 1);

    assertThat(trial.state()).isEmpty();
    assertThat(trial.why()).contains("gone");
  }

  @ParameterizedTest
  @CsvSource({
    "No space left on device, FULL",
    "Disk quota exceeded, FULL",
    "Read-only file system, READ_ONLY",
    "Input/output error,",
    "Permission denied,",
  })
  void fullAndReadOnlyAreToldApartByTheKernelsWords(String reason, @Nullable DiskState state) {
    assertThat(
            Disks.OfThisMachine.stateOf(new FileSystemException("/var/lib/crowdlab", null, reason)))
        .isEqualTo(java.util.Optional.ofNullable(state));
    assertThat(Disks.OfThisMachine.stateOf(new IOException(reason)))
        .isEqualTo(java.util.Optional.ofNullable(state));
  }

  @Test
  @EnabledIf("hasDevFull")
  void theKernelSaysSo() {
    IOException failure =
        catchThrowableOfType(
            IOException.class, () -> Files.write(Path.of("/dev/full"), new byte[] {1}));

    assertThat(Disks.OfThisMachine.stateOf(failure)).contains(DiskState.FULL);
  }

  static boolean hasDevFull() {
    return Files.isWritable(Path.of("/dev/full"));
  }

  @Test
  void fileSystemsAreToldApart() throws Exception {
    Path below = Files.createDirectory(folder.resolve("below"));

    assertThat(disks.device(below)).isPresent().isEqualTo(disks.device(folder));
    assertThat(disks.device(Path.of("/proc"))).isNotEqualTo(disks.device(folder));
    assertThat(disks.device(folder.resolve("gone"))).isEmpty();
  }
}
