package dev.crowdlab.hub;

/** How one probe of sshd came out. */
enum ProbeResult {
  /** sshd said who it is. */
  BANNER,
  /** Something else was said: who speaks, lives. sshd says so when it has too many callers. */
  OTHER,
  /** The connection was made, and nothing came; or it was closed without a word. */
  MUTE,
  /** The machine refused the connection: its kernel lives. */
  REFUSED,
  /** Nothing came back in time, or the network said that there is no way. */
  NOTHING,
  /** It could not be sent: that says something of us, not of the machine. */
  UNABLE;

  /** Whether sshd may hold it against us (see {@link ProbeBudget}). */
  boolean costs() {
    return this == BANNER || this == OTHER || this == MUTE;
  }
}
