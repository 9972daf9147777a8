package dev.crowdlab.agent;

import dev.crowdlab.protocol.FromAgent.Notice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the machine's owner last asked for, on disk: it is said again at each connection, as the hub
 * may have been away when it was said first.
 */
final class Voice {

  private final Path file;

  Voice(Path stateDir) {
    this.file = stateDir.resolve("voice");
  }

  void set(Notice.Kind kind) throws IOException {
    if (kind == Notice.Kind.RESUME) {
      Durable.delete(file);
    } else {
      Durable.write(file, kind.name());
    }
  }

  /** What still holds: PAUSE or LEAVE. */
  Optional<Notice.Kind> standing() throws IOException {
    return Files.exists(file)
        ? Optional.of(Notice.Kind.valueOf(Files.readString(file).strip()))
        : Optional.empty();
  }
}
