package dev.crowdlab.ssh;

import static java.util.Objects.requireNonNull;

/**
 * A machine to connect to.
 *
 * @param host a name or an address
 * @param port 1 to 65535
 * @param user the login
 * @param sudo whether what needs root goes through password-less sudo
 */
public record SshTarget(
    String host, int port, String user, boolean sudo, HostKeyPin pin, SshCredentials credentials) {

  private static final int MAX_PORT = 65_535;

  public SshTarget {
    requireNonNull(host, "host");
    requireNonNull(user, "user");
    requireNonNull(pin, "pin");
    requireNonNull(credentials, "credentials");
    if (port < 1 || port > MAX_PORT) {
      throw new IllegalArgumentException("a port is between 1 and " + MAX_PORT + ", not " + port);
    }
  }

  /** The form in which log lines name the machine. */
  @Override
  public String toString() {
    return user + "@" + host + ":" + port;
  }
}
