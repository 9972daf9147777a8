package dev.crowdlab.vm;

import dev.crowdlab.hub.VmHealth;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What this process has seen of one machine's release. Lost with the process, and made anew by the
 * next one: then every bound counts from its first look, as what was to happen meanwhile did not.
 * One machine's passes never overlap.
 */
final class ReleaseMemory {

  private final Instant firstLook;
  private final Map<String, Instant> deletedTeams = new HashMap<>();
  private @Nullable Instant attempted;

  ReleaseMemory(Instant firstLook) {
    this.firstLook = firstLook;
  }

  /** How long the release has been under way for somebody who was there to see to it. */
  Duration since(Instant asked, Instant now) {
    return Duration.between(asked.isAfter(firstLook) ? asked : firstLook, now);
  }

  /**
   * Whether one of these teams was first seen deleted less than {@code bound} ago.
   *
   * @param deleted names of all that are being deleted now
   */
  boolean waitsForDeleted(Collection<String> deleted, Duration bound, Instant now) {
    deletedTeams.keySet().retainAll(deleted);
    deleted.forEach(team -> deletedTeams.putIfAbsent(team, now));
    return deletedTeams.values().stream().anyMatch(seen -> seen.plus(bound).isAfter(now));
  }

  /** Names of the teams that are being deleted. */
  static List<String> deleted(VmView view) {
    return view.teams().stream().filter(team -> !view.remaining().contains(team)).toList();
  }

  /** An attempt to clean the machine, whose time is over, failed. True for the first. */
  boolean gaveUp(Instant begun) {
    boolean first = attempted == null;
    attempted = begun;
    return first;
  }

  /**
   * How much longer a machine that was given up is left alone; zero or less when it is not. One
   * whose agent or sshd came after the last attempt is not.
   */
  Duration rest(VmView view, Duration pause) {
    if (attempted == null) {
      return Duration.ZERO;
    }
    Instant last = attempted;
    boolean agentCame = view.session().filter(s -> s.connectedSince().isAfter(last)).isPresent();
    boolean sshdCame =
        view.health() instanceof VmHealth.AgentDown(_, Instant since, _) && since.isAfter(last);
    return agentCame || sshdCame ? Duration.ZERO : Duration.between(view.now(), last.plus(pause));
  }
}
