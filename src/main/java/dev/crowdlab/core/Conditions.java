package dev.crowdlab.core;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.Reason;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Builds the conditions of a status, and keeps the transition times of those that stay. */
public final class Conditions {

  /** The status of a condition that holds. */
  public static final String TRUE = "True";

  /** The status of a condition that does not hold. */
  public static final String FALSE = "False";

  /** The status of a condition nobody can tell yet. */
  public static final String UNKNOWN = "Unknown";

  /** The most characters that a message keeps; the API server would refuse more than 32,768. */
  public static final int MAX_MESSAGE = 4_096;

  private Conditions() {}

  /** A condition that holds; {@link #merge} gives it its time and generation. */
  public static Condition isTrue(String type, Reason reason, String message) {
    return condition(type, TRUE, reason, message);
  }

  /** A condition that does not hold; {@link #merge} gives it its time and generation. */
  public static Condition isFalse(String type, Reason reason, String message) {
    return condition(type, FALSE, reason, message);
  }

  /** A condition nobody can tell yet; {@link #merge} gives it its time and generation. */
  public static Condition isUnknown(String type, Reason reason, String message) {
    return condition(type, UNKNOWN, reason, message);
  }

  /** The condition of a type, when the list has one. */
  public static Optional<Condition> find(List<Condition> conditions, String type) {
    return conditions.stream().filter(condition -> type.equals(condition.getType())).findFirst();
  }

  /** Whether the list has the condition, and it holds. */
  public static boolean holds(List<Condition> conditions, String type) {
    return find(conditions, type).filter(c -> TRUE.equals(c.getStatus())).isPresent();
  }

  /** Whether the list has the condition with this reason, whatever its status. */
  public static boolean hasReason(List<Condition> conditions, String type, Reason reason) {
    return find(conditions, type).filter(c -> reason.value().equals(c.getReason())).isPresent();
  }

  /**
   * The conditions to write: exactly {@code wanted}, in its order. One whose status is as it was
   * keeps its {@code lastTransitionTime}, any other changes now; so merging what is wanted already
   * gives an equal list, and nothing needs to be written.
   *
   * @param existing what the status holds now
   * @param wanted every condition that the status shall have; one that is left out is removed
   * @param generation the {@code metadata.generation} that they describe; null, or the -1 of an
   *     object that nobody looked at, when there is none
   * @throws IllegalArgumentException when {@code wanted} has a type twice
   */
  public static List<Condition> merge(
      List<Condition> existing,
      List<Condition> wanted,
      InstantSource clock,
      @Nullable Long generation) {
    String now = now(clock);
    Long described = generation == null || generation < 0 ? null : generation;
    Set<String> types = new HashSet<>();
    List<Condition> merged = new ArrayList<>(wanted.size());
    for (Condition condition : wanted) {
      String type = requireNonNull(condition.getType(), "type");
      if (!types.add(type)) {
        throw new IllegalArgumentException("two conditions of type " + type);
      }
      String since =
          find(existing, type)
              .filter(old -> condition.getStatus().equals(old.getStatus()))
              .map(Condition::getLastTransitionTime)
              .orElse(now);
      merged.add(
          new Condition(
              since,
              condition.getMessage(),
              described,
              condition.getReason(),
              condition.getStatus(),
              type));
    }
    return List.copyOf(merged);
  }

  /** The form of a condition's time; Kubernetes keeps whole seconds there. */
  private static String now(InstantSource clock) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    return now.toString();
  }

  private static Condition condition(String type, String status, Reason reason, String message) {
    String kept =
        message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE - 1) + "…";
    return new Condition(null, kept, null, reason.value(), status, type);
  }
}
