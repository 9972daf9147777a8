package dev.crowdlab.agent;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Openings in memory. */
final class FakeFirewall implements Firewall {

  private final Map<String, Opening> openings = new HashMap<>();

  private final CountDownLatch going = new CountDownLatch(1);
  private boolean held;
  private boolean waits;

  /** Whoever opens next is held up, with what it wants to open. */
  synchronized void hold() {
    held = true;
  }

  /** Whether somebody is. */
  synchronized boolean waits() {
    return waits;
  }

  void letGo() {
    going.countDown();
  }

  @Override
  public void open(String teamUid, Opening opening) {
    boolean wait;
    synchronized (this) {
      wait = held;
      held = false;
      waits |= wait;
    }
    if (wait) {
      awaitGoing();
    }
    synchronized (this) {
      openings.put(teamUid, opening);
    }
  }

  private void awaitGoing() {
    try {
      var _ = going.await(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public synchronized void close(String teamUid) {
    openings.remove(teamUid);
  }

  @Override
  public void tidy() {}

  @Override
  public void renew() {}

  synchronized Map<String, Opening> openings() {
    return Map.copyOf(openings);
  }
}
