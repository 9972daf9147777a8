package dev.crowdlab.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Small files that are either the old or the new one, whatever happens in between. */
final class Durable {

  private Durable() {}

  /** Replaces the file, readable by its owner only; it is on disk when this returns. */
  static void write(Path file, String text) throws IOException {
    Path folder = folderOf(file);
    Path fresh = folder.resolve("." + file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    var ownerOnly =
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    try (FileChannel channel =
        FileChannel.open(
            fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), ownerOnly)) {
      ByteBuffer bytes = UTF_8.encode(text);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    sync(folder);
  }

  /** Removes the file, if it is there. */
  static void delete(Path file) throws IOException {
    // A disk that can only be read refuses to remove even what is not there.
    if (Files.exists(file)) {
      Files.delete(file);
      sync(folderOf(file));
    }
  }

  /** Makes a folder and its parents; the folder is its owner's only, or readable by all. */
  static void folder(Path folder, boolean open) throws IOException {
    Files.createDirectories(folder);
    Set<PosixFilePermission> wanted =
        PosixFilePermissions.fromString(open ? "rwxr-xr-x" : "rwx------");
    // On a disk that can only be read even what changes nothing is refused.
    if (!Files.getPosixFilePermissions(folder).equals(wanted)) {
      Files.setPosixFilePermissions(folder, wanted);
    }
  }

  private static void sync(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static Path folderOf(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null) {
      throw new IllegalArgumentException("not a file: " + file);
    }
    return folder;
  }
}
