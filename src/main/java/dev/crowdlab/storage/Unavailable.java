package dev.crowdlab.storage;

import dev.crowdlab.core.Outcome.Failure;

/** The file server could not be asked, or its answer is of no use. */
final class Unavailable extends Exception {

  private static final long serialVersionUID = 1L;

  private final transient Failure failure;

  Unavailable(Failure failure) {
    super(failure.message());
    this.failure = failure;
  }

  Failure failure() {
    return failure;
  }
}
