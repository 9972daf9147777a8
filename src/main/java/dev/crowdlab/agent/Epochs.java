package dev.crowdlab.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * The highest epoch that this VM has seen of each team, on disk, so that no order of an older
 * binding is obeyed, however late it comes.
 */
final class Epochs {

  private static final Logger LOG = Logger.getLogger(Epochs.class.getName());
  private static final int MOST_TEAMS = 4_096;

  private final Path folder;

  Epochs(Path stateDir) throws IOException {
    folder = stateDir.resolve("epochs");
    Durable.folder(folder, false);
  }

  /** The highest epoch seen, 0 for a team never seen. */
  synchronized long highest(String teamUid) throws IOException {
    Path file = folder.resolve(teamUid);
    return Files.exists(file) ? Long.parseLong(Files.readString(file).strip()) : 0;
  }

  /**
   * Whether an order of this epoch may be obeyed: it is not below the highest. When it is above, it
   * is the highest from now on, and on disk.
   */
  synchronized boolean admit(String teamUid, long epoch) throws IOException {
    long highest = highest(teamUid);
    if (epoch < highest) {
      return false;
    }
    if (epoch > highest) {
      Durable.write(folder.resolve(teamUid), Long.toString(epoch));
      forgetOldest();
    }
    return true;
  }

  private void forgetOldest() throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.toList();
    }
    if (files.size() > MOST_TEAMS) {
      files.stream()
          .min(Comparator.comparingLong(file -> file.toFile().lastModified()))
          .ifPresent(
              file -> {
                LOG.info("forgetting the epoch of " + file.getFileName() + ", the oldest");
                file.toFile().delete();
              });
    }
  }
}
