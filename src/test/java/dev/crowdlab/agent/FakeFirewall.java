package dev.crowdlab.agent;

import java.util.HashMap;
import java.util.Map;

/** Openings in memory. */
final class FakeFirewall implements Firewall {

  private final Map<String, Opening> openings = new HashMap<>();

  @Override
  public synchronized void open(String teamUid, Opening opening) {
    openings.put(teamUid, opening);
  }

  @Override
  public synchronized void close(String teamUid) {
    openings.remove(teamUid);
  }

  @Override
  public void renew() {}

  synchronized Map<String, Opening> openings() {
    return Map.copyOf(openings);
  }
}
