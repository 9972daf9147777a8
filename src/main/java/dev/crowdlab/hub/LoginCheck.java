package dev.crowdlab.hub;

import java.time.Duration;

/** A way into one machine, for when its sshd takes connections and says nothing. */
@FunctionalInterface
public interface LoginCheck {

  /**
   * Whether sshd went through the whole exchange with us, be it to refuse us at its end. Blocks its
   * (virtual) thread for no longer than {@code within}.
   */
  boolean answers(Duration within);
}
