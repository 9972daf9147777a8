package dev.crowdlab.hub;

import java.time.Duration;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** The frames on their way to one agent: one in flight, a bounded number behind it. Thread-safe. */
final class Outbox {

  /** Every run and every stop of a full machine fit in, and a few words more. */
  static final int MAX_FRAMES = 2 * Reports.MAX_TEAMS + 64;

  /** The most characters that may wait; a frame has at most 256 Ki. */
  static final long MAX_CHARS = 16L * 1024 * 1024;

  private final AgentSocket socket;
  private final HubClock clock;
  private final ArrayDeque<String> waiting = new ArrayDeque<>();
  private long waitingChars;
  private boolean inFlight;
  private boolean draining;
  private long sentAt;
  private boolean closed;

  Outbox(AgentSocket socket, HubClock clock) {
    this.socket = socket;
    this.clock = clock;
  }

  /** Takes the frame; false when the agent reads so slowly that there is no room. */
  boolean offer(String frame) {
    synchronized (this) {
      if (closed) {
        return true;
      }
      if (waiting.size() >= MAX_FRAMES || waitingChars + frame.length() > MAX_CHARS) {
        return false;
      }
      waiting.add(frame);
      waitingChars += frame.length();
    }
    drain();
    return true;
  }

  /** Sends until a frame is in flight; a frame that is out at once goes round here, not deeper. */
  private void drain() {
    for (String next = next(true); next != null; next = next(false)) {
      socket.send(next, this::sent, this::close);
    }
  }

  private synchronized @Nullable String next(boolean entering) {
    if (entering && draining) {
      return null;
    }
    String next = closed || inFlight ? null : waiting.poll();
    draining = next != null;
    if (next != null) {
      waitingChars -= next.length();
      inFlight = true;
      sentAt = clock.nano();
    }
    return next;
  }

  private void sent() {
    synchronized (this) {
      inFlight = false;
    }
    drain();
  }

  /** The time until now does not count: we stood still. */
  synchronized void restart() {
    sentAt = clock.nano();
  }

  /** For how long the frame in flight is on its way; zero when none is. */
  synchronized Duration inFlightFor() {
    return inFlight && !closed ? clock.since(sentAt) : Duration.ZERO;
  }

  /** Drops what waits and takes nothing more. */
  synchronized void close() {
    closed = true;
    waiting.clear();
    waitingChars = 0;
  }
}
