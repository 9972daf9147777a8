package dev.crowdlab.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The tables of {@code docs/states.md}. A reconciler's test brings an object into a state and says
 * {@code DocumentedStates.vm("quarantined").check(status.phase(), status.conditions())}.
 */
public final class DocumentedStates {
  private DocumentedStates() {}

  /** How far the operator is with an object. */
  public enum Stage {
    NEW,
    CURRENT,
    EDITED,
    DELETED
  }

  /** A condition as the table writes it: {@code Type=Status:Reason}. */
  public record Expected(String type, String status, String reason) {
    Condition toCondition() {
      return new ConditionBuilder()
          .withType(type)
          .withStatus(status)
          .withReason(reason)
          .withMessage("")
          .withLastTransitionTime("2026-01-01T00:00:00Z")
          .build();
    }
  }

  /**
   * One row.
   *
   * @param conditions Ready, Reconciling and Stalled where the row has them, and the others it
   *     names
   * @param phase as it is written, or empty when there is none
   */
  public record State(
      String kind,
      String name,
      Stage stage,
      List<Expected> conditions,
      Optional<String> phase,
      String kstatus,
      String argo) {

    /** Asserts that a status is what the row says. */
    public void check(@Nullable Object actualPhase, List<Condition> actual) {
      Map<String, Condition> byType =
          actual.stream().collect(Collectors.toMap(Condition::getType, Function.identity()));
      for (Expected expected : conditions) {
        assertThat(byType.get(expected.type()))
            .as("%s %s: condition %s in %s", kind, name, expected.type(), actual)
            .isNotNull()
            .extracting(Condition::getStatus, Condition::getReason)
            .containsExactly(expected.status(), expected.reason());
      }
      for (String type : List.of(ConditionType.RECONCILING, ConditionType.STALLED)) {
        boolean expected = conditions.stream().anyMatch(c -> c.type().equals(type));
        assertThat(byType.containsKey(type) && byType.get(type).getStatus().equals("True"))
            .as("%s %s: %s in %s", kind, name, type, actual)
            .isEqualTo(expected);
      }
      assertThat(Optional.ofNullable(actualPhase).map(Object::toString))
          .as("%s %s: phase", kind, name)
          .isEqualTo(phase);
    }
  }

  /** The state of a ContributedVM of this name. */
  public static State vm(String name) {
    return named("ContributedVM", name);
  }

  /** The state of a LabTeam of this name. */
  public static State team(String name) {
    return named("LabTeam", name);
  }

  /** Every state of a kind. */
  public static List<State> of(String kind) {
    return MarkdownTables.below("states.md", kind).stream().map(row -> state(kind, row)).toList();
  }

  private static State named(String kind, String name) {
    return of(kind).stream()
        .filter(state -> state.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(kind + " has no state " + name));
  }

  private static State state(String kind, Map<String, String> row) {
    List<Expected> conditions = new ArrayList<>();
    String ready = row.get("Ready");
    String readyReason = ready.equals("-") ? null : ready.substring(ready.indexOf(':') + 1);
    if (readyReason != null) {
      conditions.add(condition("Ready=" + ready));
    }
    for (String type : List.of(ConditionType.RECONCILING, ConditionType.STALLED)) {
      if (row.get(type).equals("True")) {
        conditions.add(new Expected(type, "True", String.valueOf(readyReason)));
      } else if (!row.get(type).equals("-")) {
        throw new IllegalArgumentException(type + " of " + row + " is neither True nor -");
      }
    }
    Arrays.stream(row.get("Others").split(","))
        .map(String::strip)
        .filter(text -> !text.isEmpty())
        .map(DocumentedStates::condition)
        .forEach(conditions::add);
    return new State(
        kind,
        row.get("State"),
        Stage.valueOf(row.get("Object").toUpperCase(java.util.Locale.ROOT)),
        List.copyOf(conditions),
        Optional.of(row.get("Phase")).filter(phase -> !phase.equals("-")),
        row.get("kstatus"),
        row.get("Argo CD"));
  }

  private static Expected condition(String text) {
    String[] parts = text.split("[=:]");
    if (parts.length != 3) {
      throw new IllegalArgumentException("not Type=Status:Reason: " + text);
    }
    return new Expected(parts[0], parts[1], parts[2]);
  }
}
