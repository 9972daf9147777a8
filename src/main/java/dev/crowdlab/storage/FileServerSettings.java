package dev.crowdlab.storage;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * What an installation says about its file server.
 *
 * @param name stands in the teams' status
 * @param dataDirectory where workspaces lie, on a file system with user quota if sizes shall be
 *     enforced
 * @param sftpPort the port of the sshd for workspaces
 * @param uids the uids that workspaces get
 * @param proofBound how long a fence may take until it counts as not proven
 */
public record FileServerSettings(
    String name, String dataDirectory, int sftpPort, UidRange uids, Duration proofBound) {

  private static final String DATA_DIRECTORY = "(/[A-Za-z0-9._][A-Za-z0-9._-]*)+";
  private static final int MAX_PORT = 65_535;

  /** Kill to proof takes milliseconds; what takes longer hangs in the kernel, and may for ever. */
  private static final Duration PROOF_BOUND = Duration.ofSeconds(2);

  public FileServerSettings {
    requireNonNull(name, "name");
    requireNonNull(uids, "uids");
    requireNonNull(proofBound, "proofBound");
    if (!dataDirectory.matches(DATA_DIRECTORY) || (dataDirectory + "/").contains("/../")) {
      throw new IllegalArgumentException(
          "the data directory must be an absolute path of letters, digits, '.', '_' and '-'");
    }
    if (sftpPort < 1 || sftpPort > MAX_PORT) {
      throw new IllegalArgumentException("a port is between 1 and " + MAX_PORT);
    }
  }

  /** With the default uids and bound. */
  public static FileServerSettings of(String name, String dataDirectory, int sftpPort) {
    return new FileServerSettings(name, dataDirectory, sftpPort, UidRange.DEFAULT, PROOF_BOUND);
  }

  /**
   * A range of uids.
   *
   * @param first from 1000 on
   * @param count so many; the last one is below 2^31 - 1
   */
  public record UidRange(long first, long count) {

    /**
     * Above what Debian, systemd (containers end at 1,879,048,191) and subordinate uids use, below
     * what a signed 32-bit integer holds.
     */
    public static final UidRange DEFAULT = new UidRange(1_900_000_000, 100_000);

    private static final long LOWEST = 1000;

    public UidRange {
      if (first < LOWEST || count < 1 || first + count > Integer.MAX_VALUE) {
        throw new IllegalArgumentException("uids are between 1000 and 2147483646");
      }
    }
  }
}
