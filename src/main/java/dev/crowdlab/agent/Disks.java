package dev.crowdlab.agent;

import dev.crowdlab.protocol.FromAgent.DiskState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;

/** What a file system does with what is written, found out by writing. May block for as long. */
interface Disks {

  /**
   * What a trial found.
   *
   * @param state empty when the trial failed in a way that says nothing of space or of a read-only
   *     file system
   * @param usable bytes that others than root may still write; {@link Long#MAX_VALUE} where the
   *     file system does not count
   * @param why of a failure, for a person
   */
  record Trial(Optional<DiskState> state, long usable, String why) {}

  /** Makes so many small files at once and has each on disk; none of them is there afterwards. */
  Trial write(Path folder, int files);

  /** What tells one file system from another; empty when the folder cannot be looked at. */
  Optional<Object> device(Path folder);

  /** The disks of this machine. */
  final class OfThisMachine implements Disks {

    /** A block: less may be kept beside a file's name, and prove nothing. */
    private static final int SIZE = 4_096;

    private static final String NAME = ".crowdlab-disk";

    @Override
    public Trial write(Path folder, int files) {
      try {
        write(folder, files, 0);
      } catch (IOException e) {
        return new Trial(stateOf(e), usable(folder), String.valueOf(e.getMessage()));
      }
      return new Trial(Optional.of(DiskState.WRITABLE), usable(folder), "");
    }

    private static void write(Path folder, int files, int made) throws IOException {
      if (made == files) {
        return;
      }
      Path file = folder.resolve(NAME + made);
      // Of an agent that was killed just here.
      Files.deleteIfExists(file);
      var ownerOnly =
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
      Set<StandardOpenOption> options =
          Set.of(
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.WRITE,
              // The name is gone as soon as the file is open.
              StandardOpenOption.DELETE_ON_CLOSE);
      try (FileChannel channel = FileChannel.open(file, options, ownerOnly)) {
        ByteBuffer bytes = ByteBuffer.allocate(SIZE);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
        write(folder, files, made + 1);
      }
    }

    /**
     * By the kernel's words; the agent is started with a language of its own, so they are these.
     */
    static Optional<DiskState> stateOf(IOException failure) {
      String text = String.valueOf(failure.getMessage());
      if (text.contains("No space left on device") || text.contains("Disk quota exceeded")) {
        return Optional.of(DiskState.FULL);
      }
      return text.contains("Read-only file system")
          ? Optional.of(DiskState.READ_ONLY)
          : Optional.empty();
    }

    private static long usable(Path folder) {
      boolean counts = folder.toFile().getTotalSpace() > 0;
      return counts ? folder.toFile().getUsableSpace() : Long.MAX_VALUE;
    }

    @Override
    public Optional<Object> device(Path folder) {
      try {
        return Optional.of(Files.getAttribute(folder, "unix:dev"));
      } catch (IOException e) {
        return Optional.empty();
      }
    }
  }
}
