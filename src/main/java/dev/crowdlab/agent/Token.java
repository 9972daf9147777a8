package dev.crowdlab.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The token on disk: read at each connection, so that one placed over SSH counts at once. */
final class Token {

  private final Path file;

  Token(Path file) {
    this.file = file;
  }

  String read() throws IOException {
    return Files.readString(file).strip();
  }

  /** The new token is on disk when this returns. */
  void replace(String token) throws IOException {
    Durable.write(file, token + "\n");
  }
}
