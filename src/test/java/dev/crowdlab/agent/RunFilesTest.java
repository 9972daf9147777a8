package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.ToAgent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFilesTest {

  @TempDir Path folder;

  private RunFiles files() throws Exception {
    return new RunFiles(folder, new Frames());
  }

  @Test
  void aRunComesBackWithoutTheCredentialsOfItsRegistry() throws Exception {
    // given
    ToAgent.Run run = Runs.run(3);
    ToAgent.Run withAuth =
        new ToAgent.Run(
            run.teamUid(),
            run.namespace(),
            run.name(),
            run.epoch(),
            run.mount(),
            run.containers(),
            run.internet(),
            run.ports(),
            run.sources(),
            new ToAgent.RegistryAuth("secret"),
            run.limits());

    // when
    files().save(withAuth);

    // then
    assertThat(files().load()).containsExactly(run);
    Path file = folder.resolve("uid-1/3/run.json");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }

  @Test
  void aDeletedRunLeavesNoFolder() throws Exception {
    files().save(Runs.run(3));

    files().delete("uid-1", 3);

    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aFolderThatStillHoldsSomethingIsLeft() throws Exception {
    // given
    files().save(Runs.run(3));
    Path work = Files.createDirectories(folder.resolve("uid-1/3/workspace"));
    Path saved = Files.writeString(work.resolve("thesis.txt"), "years of it");

    // when
    files().delete("uid-1", 3);

    // then
    assertThat(saved).exists();
  }

  @Test
  void aFileThatIsDamagedIsLeftOut() throws Exception {
    // given
    files().save(Runs.run(3));
    Files.createDirectories(folder.resolve("uid-2/1"));
    Files.writeString(folder.resolve("uid-2/1/run.json"), "{");

    // then
    assertThat(files().load()).hasSize(1);
  }
}
