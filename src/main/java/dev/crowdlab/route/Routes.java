package dev.crowdlab.route;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.TeamRef;

/** The way in to a team's exercise, as the team's reconciler sees it. */
public interface Routes {

  /**
   * Lets the team's URL lead to {@code target}: Service, EndpointSlice and Ingress stand as wanted
   * when it is done. Writes only what differs from what it wrote last, so that it may be called at
   * every reconcile; a change of target is one write of the EndpointSlice.
   */
  Outcome<Route> point(LabTeam team, Target target);

  /**
   * Takes the route away. Owner references would do it too, later: this makes the end visible at
   * once.
   */
  Outcome<Void> remove(TeamRef team);

  /** Where requests go. */
  sealed interface Target {

    /** The exercise: a checked address of the VM, and the port that the operator chose on it. */
    record Exercise(String address, int port) implements Target {}

    /** The waiting room in the operator, between machines. */
    record WaitingRoom(Why why) implements Target {}
  }

  /** What the waiting room tells a browser. */
  enum Why {
    CREATING,
    RECOVERING,
    SUSPENDED,
    STALLED
  }

  /** A standing route. */
  record Route(String url) {}
}
