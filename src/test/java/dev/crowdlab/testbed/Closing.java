package dev.crowdlab.testbed;

import java.util.List;

/** Closes several things; one that fails keeps none of the others open. */
final class Closing {
  private Closing() {}

  static void reversed(List<? extends AutoCloseable> things) {
    all(things.reversed().toArray(AutoCloseable[]::new));
  }

  /**
   * @throws IllegalStateException the first failure, the others suppressed
   */
  static void all(AutoCloseable... things) {
    IllegalStateException failure = null;
    for (AutoCloseable thing : things) {
      try {
        thing.close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IllegalStateException("could not close everything", e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
