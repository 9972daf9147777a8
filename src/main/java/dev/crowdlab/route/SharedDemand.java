package dev.crowdlab.route;

import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/**
 * A request whose body another reader may take over while the last one's demand is still pending:
 * who demanded last is told. Jetty's own request takes one demand at a time, and none can be taken
 * back: whoever reads away what an exercise did not want would be refused, and the connection never
 * be closed.
 */
final class SharedDemand extends Request.Wrapper {

  private boolean pending;
  private @Nullable Runnable waiting;

  SharedDemand(Request request) {
    super(request);
  }

  @Override
  public void demand(Runnable available) {
    synchronized (this) {
      waiting = available;
      if (pending) {
        return;
      }
      pending = true;
    }
    try {
      super.demand(this::arrived);
    } catch (RuntimeException e) {
      synchronized (this) {
        pending = false;
      }
      throw e;
    }
  }

  private void arrived() {
    Runnable available;
    synchronized (this) {
      pending = false;
      available = waiting;
      waiting = null;
    }
    if (available != null) {
      available.run();
    }
  }
}
