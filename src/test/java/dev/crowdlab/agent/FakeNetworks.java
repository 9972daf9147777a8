package dev.crowdlab.agent;

import dev.crowdlab.agent.Pods.Pod;
import dev.crowdlab.protocol.RunFailure;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Networks in memory. */
final class FakeNetworks implements Networks {

  private final Map<String, Pod> networks = new TreeMap<>();
  private int made;

  @Override
  public synchronized Network take(Pod pod) {
    String name =
        networks.entrySet().stream()
            .filter(entry -> entry.getValue().equals(pod))
            .map(Map.Entry::getKey)
            .findFirst()
            .orElseGet(() -> "crowdlab-" + made++);
    networks.put(name, pod);
    return new Network(name, "10.89.240.2");
  }

  @Override
  public synchronized void adopt(Pod pod, String name) throws RunException {
    if (!networks.containsKey(name)) {
      throw new RunException(RunFailure.INTERNAL, "its network is gone");
    }
    networks.put(name, pod);
  }

  @Override
  public synchronized void release(Pod pod) {
    networks.values().remove(pod);
  }

  @Override
  public synchronized void removeOthers() {
    networks.values().removeIf(pod -> pod.teamUid().equals("nobody"));
  }

  @Override
  public synchronized List<String> devices() {
    return List.copyOf(networks.keySet());
  }
}
