package dev.crowdlab.agent;

import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.Frames.BadFrameException;
import dev.crowdlab.protocol.ToAgent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * The runs that may have left something on the VM, so that an agent that starts again knows what it
 * finds. They are in the folder for what a restart of the machine ends, as it ends them too.
 */
final class RunFiles {

  private static final Logger LOG = Logger.getLogger(RunFiles.class.getName());

  private final Path teamsDir;
  private final Frames frames;

  RunFiles(Path teamsDir, Frames frames) throws IOException {
    this.teamsDir = teamsDir;
    this.frames = frames;
    Durable.folder(teamsDir, true);
  }

  /** Keeps the run, without its registry's credentials: what runs has its images. */
  void save(ToAgent.Run run) throws IOException {
    Path folder = folder(run.teamUid(), run.epoch());
    Durable.folder(folder, true);
    Durable.write(folder.resolve("run.json"), frames.write(run.withoutRegistryAuth()));
  }

  /** Forgets a run of which nothing is left. */
  void delete(String teamUid, long epoch) {
    Path folder = folder(teamUid, epoch);
    folder.resolve("run.json").toFile().delete();
    // Both only when they are empty: a workspace that is still mounted is never walked into.
    folder.toFile().delete();
    teamsDir.resolve(teamUid).toFile().delete();
  }

  /** All runs, in no order. */
  List<ToAgent.Run> load() throws IOException {
    List<ToAgent.Run> runs = new ArrayList<>();
    for (Path team : list(teamsDir)) {
      for (Path epoch : list(team)) {
        Path file = epoch.resolve("run.json");
        try {
          if (Files.exists(file)
              && frames.readToAgent(Files.readString(file)) instanceof ToAgent.Run run) {
            runs.add(run);
          }
        } catch (IOException | BadFrameException e) {
          LOG.warning(file + " cannot be read: " + e.getMessage());
        }
      }
    }
    return runs;
  }

  private Path folder(String teamUid, long epoch) {
    return teamsDir.resolve(teamUid).resolve(Long.toString(epoch));
  }

  private static List<Path> list(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
