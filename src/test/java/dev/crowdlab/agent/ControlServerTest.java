package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.protocol.FromAgent.Notice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlServerTest {

  @TempDir Path folder;

  private final List<Notice.Kind> said = new ArrayList<>();
  private Path socket;

  @BeforeEach
  void start() throws Exception {
    socket = folder.resolve("agent.sock");
    ControlServer.start(
        socket,
        new ControlServer.Desk() {
          @Override
          public String status() {
            return "well\n".repeat(5_000);
          }

          @Override
          public String say(Notice.Kind kind) {
            said.add(kind);
            return "told\n";
          }
        });
  }

  @Test
  void statusIsAnsweredInFull() throws Exception {
    assertThat(ControlServer.ask(socket, "status")).isEqualTo("well\n".repeat(5_000));
  }

  @Test
  void theOwnersWordsArePassedOn() throws Exception {
    for (String word : List.of("pause", "resume", "leave")) {
      assertThat(ControlServer.ask(socket, word)).isEqualTo("told\n");
    }

    assertThat(said).containsExactly(Notice.Kind.PAUSE, Notice.Kind.RESUME, Notice.Kind.LEAVE);
  }

  @Test
  void otherWordsDoNothing() throws Exception {
    assertThat(ControlServer.ask(socket, "reboot")).isEqualTo("unknown word\n");
    assertThat(said).isEmpty();
  }

  @Test
  void onlyItsOwnerMayOpenTheSocket() throws Exception {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
        .isEqualTo("rw-------");
  }
}
