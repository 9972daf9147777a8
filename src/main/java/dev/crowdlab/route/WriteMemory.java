package dev.crowdlab.route;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crowdlab.core.TeamRef;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Remembers what was last written of each object, so that nothing is written twice, and notices
 * when the cluster comes to hold something else. What is forgotten or in doubt is written again: an
 * apply that changes nothing costs one request and leaves the object's resourceVersion alone.
 */
final class WriteMemory {

  /** Names an object. */
  record Key(String kind, String namespace, String name) {}

  /** One write; compared by identity, so that a doubt that arose during the write is not lost. */
  static final class Write {
    private final TeamRef team;
    private final @Nullable JsonNode wanted;
    private final boolean settled;

    private Write(TeamRef team, @Nullable JsonNode wanted, boolean settled) {
      this.team = team;
      this.wanted = wanted;
      this.settled = settled;
    }
  }

  private final ConcurrentMap<Key, Write> writes = new ConcurrentHashMap<>();

  /** Whether the object is known to be as wanted; null wants it absent. */
  boolean standsAs(Key key, @Nullable JsonNode wanted) {
    Write write = writes.get(key);
    return write != null
        && write.settled
        && (wanted == null ? write.wanted == null : wanted.equals(write.wanted));
  }

  /** A write begins: until it is settled the object is in doubt. */
  Write begin(Key key, TeamRef team, @Nullable JsonNode wanted) {
    Write write = new Write(team, wanted, false);
    writes.put(key, write);
    return write;
  }

  /** The API server took the write. */
  void settle(Key key, Write write) {
    writes.replace(key, write, new Write(write.team, write.wanted, true));
  }

  /**
   * The cluster holds this now.
   *
   * @param actual null when the object is gone
   * @return the team to look after, when it is not what was written last
   */
  Optional<TeamRef> observe(Key key, @Nullable JsonNode actual) {
    Write write = writes.get(key);
    if (write == null || agrees(write.wanted, actual)) {
      return Optional.empty();
    }
    // A late event of an older state looks the same as drift, and then costs one empty apply.
    writes.replace(key, write, new Write(write.team, write.wanted, false));
    return Optional.of(write.team);
  }

  /** What was written for the team is nobody's any more. */
  void forget(TeamRef team) {
    writes.values().removeIf(write -> write.team.equals(team));
  }

  private static boolean agrees(@Nullable JsonNode wanted, @Nullable JsonNode actual) {
    if (wanted == null || actual == null) {
      return wanted == null && actual == null;
    }
    return holds(actual, wanted);
  }

  /** Whether every field that we wrote is there as we wrote it; others may have added theirs. */
  static boolean holds(JsonNode actual, JsonNode wanted) {
    if (wanted.isObject()) {
      return wanted.properties().stream()
          .allMatch(
              field ->
                  actual.has(field.getKey())
                      && holds(actual.get(field.getKey()), field.getValue()));
    }
    if (wanted.isArray()) {
      return wanted.size() == actual.size() && elementsHold(actual, wanted);
    }
    return wanted.equals(actual);
  }

  private static boolean elementsHold(JsonNode actual, JsonNode wanted) {
    for (int i = 0; i < wanted.size(); i++) {
      if (!holds(actual.get(i), wanted.get(i))) {
        return false;
      }
    }
    return true;
  }
}
