package dev.crowdlab.hub;

import dev.crowdlab.hub.DetectorSettings.Heartbeats;
import java.time.Duration;

/** The pace of the agents now. Thread-safe; one thread at a time fits it. */
final class Pacer {

  private volatile Pace pace;
  private volatile double coreShare;

  Pacer(Heartbeats settings) {
    pace = new Pace(settings, 0);
  }

  /** The time between heartbeats of an agent whose machine carries teams, or does not. */
  Duration beat(boolean carriesTeams) {
    return pace.beat(carriesTeams);
  }

  /** The longest time between heartbeats. */
  Duration slowest() {
    return pace.beat(false);
  }

  /** The share of a core that all heartbeats take, by what one is said to cost. */
  double coreShare() {
    return coreShare;
  }

  /** Fits the pace to so many agents; true when it is another one now. */
  boolean fit(int fastAgents, int slowAgents) {
    Pace before = pace;
    pace = before.fitted(fastAgents, slowAgents);
    coreShare = pace.coreShare(fastAgents, slowAgents);
    return !pace.equals(before);
  }
}
