package dev.crowdlab.route;

import dev.crowdlab.core.TeamRef;

/**
 * What the waiting room is told about teams. Calls return at once and may be repeated; a team is
 * known by its last host and path only.
 */
public interface Lobby {

  /** Requests for the host and path have to wait, and why. */
  void waiting(TeamRef team, String host, String path, Routes.Why why);

  /** The exercise answers there: held requests go there at once. */
  void ready(TeamRef team, String host, String path, Endpoint exercise);

  /** The team has no route any more. */
  void gone(TeamRef team);

  /** For an operator without a waiting room. */
  static Lobby none() {
    return new Lobby() {
      @Override
      public void waiting(TeamRef team, String host, String path, Routes.Why why) {}

      @Override
      public void ready(TeamRef team, String host, String path, Endpoint exercise) {}

      @Override
      public void gone(TeamRef team) {}
    };
  }
}
