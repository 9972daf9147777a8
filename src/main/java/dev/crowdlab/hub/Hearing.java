package dev.crowdlab.hub;

/**
 * When we last heard anybody: who hears nobody may be deaf himself. Remembers the two that were
 * heard last, so that it can tell what was heard besides one of them. Thread-safe.
 */
final class Hearing {

  private String last = "";
  private long lastAt;
  private long otherAt;

  Hearing(long nano) {
    lastAt = nano;
    otherAt = nano;
  }

  /** Something came from this one. */
  synchronized void heard(String who, long nano) {
    if (!who.equals(last)) {
      otherAt = lastAt;
      last = who;
    }
    lastAt = nano;
  }

  /** Whether anything came from anybody but this one since then. */
  synchronized boolean others(String who, long since) {
    return (who.equals(last) ? otherAt : lastAt) - since >= 0;
  }
}
