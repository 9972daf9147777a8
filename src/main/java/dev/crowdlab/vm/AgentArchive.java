package dev.crowdlab.vm;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.ssh.Payload;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The agent with its runtime, as it travels to machines.
 *
 * @param digest SHA-256 of the archive, in hex: the agent's version
 * @param arch the architecture that its runtime is built for, as {@code uname -m} prints it
 */
public record AgentArchive(String digest, String arch, Payload content) {

  private static final String RESOURCE = "/crowdlab-agent.tar.gz";

  public AgentArchive {
    requireNonNull(arch, "arch");
    requireNonNull(content, "content");
    if (!digest.matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException("a digest has 64 hexadecimal digits");
    }
  }

  /**
   * The one that was built with this operator, for the architecture it was built on.
   *
   * @throws IllegalStateException when the operator was built without it
   */
  public static AgentArchive bundled() {
    return of(
        () -> {
          InputStream in = AgentArchive.class.getResourceAsStream(RESOURCE);
          if (in == null) {
            throw new IllegalStateException("the operator was built without " + RESOURCE);
          }
          return in;
        },
        System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch"));
  }

  /** Reads the content once, for its digest. */
  public static AgentArchive of(Payload content, String arch) {
    try (InputStream in = content.open()) {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      try (DigestInputStream digesting = new DigestInputStream(in, sha256)) {
        digesting.transferTo(OutputStream.nullOutputStream());
      }
      return new AgentArchive(HexFormat.of().formatHex(sha256.digest()), arch, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }
}
