package dev.crowdlab.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * The highest epoch that this VM has seen of each team, and whether it has mounted that one, on
 * disk: so that no order of an older binding is obeyed, however late it comes, and no epoch is
 * mounted twice, whatever became of agent and machine in between.
 *
 * <p>A team's file holds the number, followed by the word {@value #MOUNTED} once it was mounted.
 */
final class Epochs {

  private static final Logger LOG = Logger.getLogger(Epochs.class.getName());
  private static final int MOST_TEAMS = 4_096;
  private static final String MOUNTED = "mounted";

  private final Path folder;

  Epochs(Path stateDir) throws IOException {
    folder = stateDir.resolve("epochs");
    Durable.folder(folder, false);
  }

  /** The highest epoch seen, 0 for a team never seen. */
  synchronized long highest(String teamUid) throws IOException {
    return Long.parseLong(words(teamUid)[0]);
  }

  private String[] words(String teamUid) throws IOException {
    Path file = folder.resolve(teamUid);
    return Files.exists(file) ? Files.readString(file).strip().split(" ") : new String[] {"0"};
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

  /** Whether the epoch, the highest, was mounted here. */
  synchronized boolean isMounted(String teamUid, long epoch) throws IOException {
    String[] words = words(teamUid);
    return Long.parseLong(words[0]) == epoch && words.length > 1 && words[1].equals(MOUNTED);
  }

  /** Notes that the epoch is mounted here; before anything writes to the mount. */
  synchronized void mounted(String teamUid, long epoch) throws IOException {
    if (epoch == highest(teamUid)) {
      Durable.write(folder.resolve(teamUid), epoch + " " + MOUNTED);
    }
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
