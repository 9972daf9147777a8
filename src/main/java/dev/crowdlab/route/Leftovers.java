package dev.crowdlab.route;

import java.time.Duration;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.Callback;

/**
 * Reads away what a client still sends after it was answered, within bounds. A connection that is
 * closed with unread bytes in it is reset, and a reset can overtake the answer: the client would
 * see an error instead.
 */
final class Leftovers implements Runnable {

  private static final long MAX_BYTES = 64L << 20;
  private static final Duration MAX_TIME = Duration.ofSeconds(5);

  private final Request request;
  private final Callback callback;
  private final long deadline = System.nanoTime() + MAX_TIME.toNanos();
  private long read;

  private Leftovers(Request request, Callback callback) {
    this.request = request;
    this.callback = callback;
  }

  /** Completes the callback when nothing is left or a bound is reached. */
  static void drain(Request request, Callback callback) {
    // A client that waits for "100 Continue" sends nothing after a final answer, and must not be
    // asked to.
    if (request.getHeaders().contains(HttpHeader.EXPECT, HttpHeaderValue.CONTINUE.asString())) {
      callback.succeeded();
      return;
    }
    // A client that stalls is dropped by the connection's own timeout.
    request
        .getConnectionMetaData()
        .getConnection()
        .getEndPoint()
        .setIdleTimeout(MAX_TIME.toMillis());
    new Leftovers(request, callback).run();
  }

  @Override
  public void run() {
    while (read < MAX_BYTES && System.nanoTime() - deadline < 0) {
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        request.demand(this);
        return;
      }
      read += chunk.remaining();
      chunk.release();
      if (chunk.isLast()) {
        break;
      }
    }
    callback.succeeded();
  }
}
