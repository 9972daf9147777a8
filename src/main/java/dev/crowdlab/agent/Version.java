package dev.crowdlab.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The agent's version is the digest of its archive, which its installer left beside it. */
final class Version {

  private Version() {}

  static String of(@Nullable String home) {
    if (home == null) {
      return "development";
    }
    try {
      return Files.readString(Path.of(home, "digest")).strip();
    } catch (IOException e) {
      return "development";
    }
  }
}
