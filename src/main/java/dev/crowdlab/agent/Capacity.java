package dev.crowdlab.agent;

import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.util.HashMap;
import java.util.Map;

/** What the teams of this VM may use together: the last guard, should the hub count wrongly. */
final class Capacity {

  private record Share(long cpuMillis, long memoryBytes) {}

  private final Map<String, Share> shares = new HashMap<>();

  /** Reserves the run's share instead of the one that its team had. */
  synchronized void reserve(ToAgent.Run run) throws RunException {
    Share share =
        new Share(
            run.containers().stream().mapToLong(ToAgent.Container::cpuMillis).sum(),
            run.containers().stream().mapToLong(ToAgent.Container::memoryBytes).sum());
    long teams = 1;
    long cpu = share.cpuMillis();
    long memory = share.memoryBytes();
    for (Map.Entry<String, Share> other : shares.entrySet()) {
      if (!other.getKey().equals(run.teamUid())) {
        teams++;
        cpu += other.getValue().cpuMillis();
        memory += other.getValue().memoryBytes();
      }
    }
    ToAgent.VmLimits limits = run.limits();
    check("teams", teams, limits.teams());
    check("thousandths of a core", cpu, limits.cpuMillis());
    check("bytes of memory", memory, limits.memoryBytes());
    shares.put(run.teamUid(), share);
  }

  synchronized void release(String teamUid) {
    shares.remove(teamUid);
  }

  private static void check(String what, long wanted, long limit) throws RunException {
    if (limit > 0 && wanted > limit) {
      throw new RunException(
          RunFailure.CAPACITY_EXCEEDED,
          "the VM lends " + limit + " " + what + ", and the run would make it " + wanted);
    }
  }
}
