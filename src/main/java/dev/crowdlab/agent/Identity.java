package dev.crowdlab.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.crowdlab.agent.Commands.Command;
import dev.crowdlab.agent.Commands.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What this machine says of itself.
 *
 * @param workspaceKey the public line of its key for the file server, without a comment
 */
record Identity(String bootId, String machineId, String workspaceKey) {

  private static final Pattern PUBLIC_LINE = Pattern.compile("ssh-ed25519 [A-Za-z0-9+/]+={0,2}");
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  /** Reads it, and makes the key at the first time. */
  static Identity of(Commands commands, Path key, Optional<String> user) throws IOException {
    if (!Files.exists(key) || !Files.exists(publicHalf(key))) {
      make(commands, key);
    }
    if (user.isPresent()) {
      // sshfs reads the key with that user's rights. Nobody else may, and it cannot be replaced.
      UserPrincipal owner =
          key.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(user.get());
      // A disk that can only be read refuses even what changes nothing.
      if (!Files.getOwner(key).equals(owner)) {
        Files.setOwner(key, owner);
      }
    }
    Matcher line = PUBLIC_LINE.matcher(Files.readString(publicHalf(key)));
    if (!line.lookingAt()) {
      throw new IOException(publicHalf(key) + " is no public key");
    }
    return new Identity(
        Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip(),
        hashed(Files.readString(Path.of("/etc/machine-id")).strip()),
        line.group());
  }

  private static void make(Commands commands, Path key) throws IOException {
    Files.deleteIfExists(key);
    Files.deleteIfExists(publicHalf(key));
    Result made =
        commands.run(
            Command.of(
                DEADLINE,
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                "",
                "-f",
                key.toString()));
    if (!made.ok()) {
      throw new IOException("ssh-keygen: " + made.reason());
    }
  }

  private static Path publicHalf(Path key) {
    return key.resolveSibling(key.getFileName() + ".pub");
  }

  /** The machine's id is confidential: machine-id(5) asks to hash it with a key of one's own. */
  private static String hashed(String machineId) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(("crowdlab.dev/agent/" + machineId).getBytes(UTF_8));
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every runtime has SHA-256", e);
    }
  }
}
