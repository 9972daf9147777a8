package dev.crowdlab.hub;

/** How one probe of sshd came out. */
enum ProbeResult {
  /** sshd said who it is. */
  BANNER(true),
  /** The connection was made and nothing, or something else than sshd's banner, came. */
  CONNECTED(true),
  /** Something refused the connection: that too is life. */
  REFUSED(true),
  /** Nothing came back in time, or the network said that there is no way. */
  NOTHING(false);

  private final boolean life;

  ProbeResult(boolean life) {
    this.life = life;
  }

  boolean life() {
    return life;
  }

  /** Whether sshd may hold it against us (see {@link ProbeBudget}). */
  boolean costs() {
    return this == BANNER || this == CONNECTED;
  }
}
