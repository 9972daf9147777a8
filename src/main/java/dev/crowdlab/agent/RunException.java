package dev.crowdlab.agent;

import dev.crowdlab.protocol.RunFailure;

/** A run cannot go on; code and message travel to the hub. */
final class RunException extends Exception {

  private static final long serialVersionUID = 1L;

  private final RunFailure code;

  RunException(RunFailure code, String message) {
    super(message);
    this.code = code;
  }

  RunFailure code() {
    return code;
  }

  String text() {
    return String.valueOf(getMessage());
  }
}
