package dev.crowdlab.oracle;

import static java.util.Objects.requireNonNull;

import java.time.Instant;

/**
 * A student's request and what came of it.
 *
 * @param ended when the answer was complete, or its absence certain
 * @param detail for a person: the status, the reason; empty when the answer was right
 */
public record Exchange(Way way, Instant sent, Instant ended, Answer answer, String detail) {

  public Exchange {
    requireNonNull(way, "way");
    requireNonNull(sent, "sent");
    requireNonNull(ended, "ended");
    requireNonNull(answer, "answer");
    requireNonNull(detail, "detail");
  }

  /** How a student asks. */
  public enum Way {
    GET,
    POST,
    /** A message on an open WebSocket, or the attempt to open one. */
    WEBSOCKET;

    /** Whether the waiting room holds such a request; a WebSocket is told to come again. */
    boolean isHeld() {
      return this != WEBSOCKET;
    }
  }

  /** What came back. */
  public enum Answer {
    RIGHT,
    /** A success that shows something else than what was saved. */
    WRONG,
    /** A status of 500 and above. */
    SERVER_ERROR,
    /** Another status than success. */
    OTHER_STATUS,
    /** No connection could be made. */
    REFUSED,
    /** The connection broke, or too much time passed. */
    NONE
  }

  boolean isRight() {
    return answer == Answer.RIGHT;
  }
}
