package dev.crowdlab.route;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * The waiting room's bounds.
 *
 * @param listen where it listens; port 0 lets the system choose
 * @param hold how long a request is held before the page or a 503
 * @param linger how long after a team became ready requests that still come here are proxied: the
 *     ingress needs a moment to see the new route
 * @param maxHeld how many requests may be held or proxied at a time, over all teams
 * @param maxHeldPerTeam how many of them may be one team's
 */
public record WaitingRoomSettings(
    InetSocketAddress listen, Duration hold, Duration linger, int maxHeld, int maxHeldPerTeam) {

  public WaitingRoomSettings {
    if (hold.isNegative() || linger.isNegative() || maxHeld < 1 || maxHeldPerTeam < 1) {
      throw new IllegalArgumentException(
          "hold and linger must not be negative, maxHeld and maxHeldPerTeam must be above zero");
    }
  }

  /** With a minute of linger, and a tenth of {@code maxHeld} for each team. */
  public static WaitingRoomSettings of(InetSocketAddress listen, Duration hold, int maxHeld) {
    return new WaitingRoomSettings(
        listen, hold, Duration.ofMinutes(1), maxHeld, Math.max(1, maxHeld / 10));
  }
}
