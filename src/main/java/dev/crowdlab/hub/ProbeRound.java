package dev.crowdlab.hub;

import dev.crowdlab.hub.Detector.Evidence;
import java.util.Optional;

/**
 * Probes sent one after another until the machine gives a sign of life, or enough of them found
 * nothing. No I/O; guarded by its owner.
 */
final class ProbeRound {

  /** Why sshd is asked. */
  enum Purpose {
    /** Its agent is suspected. */
    DOUBT,
    /** Its agent is well, and sshd shall be known to be too. */
    CHECK
  }

  final int number;
  final Purpose purpose;
  private final int count;
  private int underWay;
  private int connected;
  private int nothing;
  private int unable;
  private boolean mute;

  ProbeRound(int number, Purpose purpose, int count) {
    this.number = number;
    this.purpose = purpose;
    this.count = count;
  }

  /** Whether one more probe may help: not while one is connected and waits for a word. */
  boolean wantsMore() {
    return connected == 0 && !mute && nothing + underWay < count;
  }

  void sent() {
    underWay++;
  }

  void connected() {
    connected++;
  }

  /**
   * A probe's result; what the round has found when it is over by that.
   *
   * @param wasConnected whether it had said so before
   */
  Optional<Evidence> found(ProbeResult result, boolean wasConnected) {
    underWay--;
    if (wasConnected) {
      connected--;
    }
    switch (result) {
      case BANNER, OTHER -> {
        return Optional.of(Evidence.ANSWERED);
      }
      case REFUSED -> {
        return Optional.of(Evidence.REFUSED);
      }
      case MUTE -> mute = true;
      case NOTHING -> nothing++;
      case UNABLE -> unable++;
    }
    return !mute && nothing >= count ? Optional.of(Evidence.SILENT) : Optional.empty();
  }

  /** Whether only a login can tell more: sshd took a connection and said nothing on any. */
  boolean wantsLogin() {
    return mute && connected == 0;
  }

  /** Whether it cannot be carried out. */
  boolean hopeless() {
    return unable >= count;
  }
}
