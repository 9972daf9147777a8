package dev.crowdlab.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * The root script as it travels: once per content. Its path on the file server carries the digest
 * of its text, so an operator never speaks to another version than its own, and two operators of
 * different versions do not disturb each other.
 */
final class WorkspaceScript {

  private static final String RESOURCE = "crowdlab-workspace";
  private static final String DIRECTORY = "/usr/local/lib/crowdlab";

  /** Reads the script from standard input; it stands under its name only when it is complete. */
  private static final String INSTALL =
      """
      set -eu
      umask 022
      mkdir -p "$1"
      new=$(mktemp "$1/.new.XXXXXXXX")
      trap 'rm -f "$new"' EXIT
      cat >"$new"
      echo "$2  $new" | sha256sum -c --status
      chmod 0755 "$new"
      sync "$new"
      mv -f "$new" "$1/crowdlab-workspace-$2"
      trap - EXIT
      """;

  private static final String CHECK =
      """
      echo "$2  $1/crowdlab-workspace-$2" | sha256sum -c --status
      """;

  private final byte[] text;
  private final String sha256;

  private WorkspaceScript(byte[] text, String sha256) {
    this.text = text;
    this.sha256 = sha256;
  }

  static WorkspaceScript load() {
    try (InputStream in = WorkspaceScript.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException("the script " + RESOURCE + " is not in the jar");
      }
      byte[] text = in.readAllBytes();
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text);
      return new WorkspaceScript(text, HexFormat.of().formatHex(digest));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }

  byte[] text() {
    return text.clone();
  }

  /** The command that carries out a call on its standard input. */
  List<String> call() {
    return List.of(DIRECTORY + "/crowdlab-workspace-" + sha256);
  }

  /** The command that succeeds when the script is there, unchanged. */
  List<String> check() {
    return List.of("sh", "-c", CHECK, "sh", DIRECTORY, sha256);
  }

  /** The command that stores the script, which it reads from its standard input. */
  List<String> install() {
    return List.of("sh", "-c", INSTALL, "sh", DIRECTORY, sha256);
  }
}
