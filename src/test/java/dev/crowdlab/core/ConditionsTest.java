package dev.crowdlab.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.Reason;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConditionsTest {

  private static final InstantSource THEN = () -> Instant.parse("2026-01-02T03:04:05.678Z");
  private static final InstantSource NOW = () -> Instant.parse("2026-01-02T04:00:00.001Z");

  @Test
  void aNewConditionChangedNow() {
    List<Condition> merged = Conditions.merge(List.of(), List.of(ready("up")), THEN, 3L);

    assertThat(merged)
        .singleElement()
        .satisfies(
            condition -> {
              assertThat(condition.getLastTransitionTime()).isEqualTo("2026-01-02T03:04:05Z");
              assertThat(condition.getObservedGeneration()).isEqualTo(3);
              assertThat(condition.getStatus()).isEqualTo("True");
              assertThat(condition.getReason()).isEqualTo("Ready");
            });
  }

  @Test
  void anotherMessageOfTheSameStatusKeepsTheTime() {
    List<Condition> existing = Conditions.merge(List.of(), List.of(ready("up")), THEN, 1L);

    List<Condition> merged = Conditions.merge(existing, List.of(ready("well")), NOW, 2L);

    assertThat(merged.getFirst().getLastTransitionTime()).isEqualTo("2026-01-02T03:04:05Z");
    assertThat(merged.getFirst().getMessage()).isEqualTo("well");
    assertThat(merged.getFirst().getObservedGeneration()).isEqualTo(2);
  }

  @Test
  void anotherStatusChangesNow() {
    List<Condition> existing = Conditions.merge(List.of(), List.of(ready("up")), THEN, 1L);
    Condition down = Conditions.isFalse(ConditionType.READY, Reason.RECOVERING, "moving");

    List<Condition> merged = Conditions.merge(existing, List.of(down), NOW, 1L);

    assertThat(merged.getFirst().getLastTransitionTime()).isEqualTo("2026-01-02T04:00:00Z");
  }

  @Test
  void mergingWhatIsThereChangesNothing() {
    List<Condition> existing = Conditions.merge(List.of(), List.of(ready("up")), THEN, 1L);

    assertThat(Conditions.merge(existing, List.of(ready("up")), NOW, 1L)).isEqualTo(existing);
  }

  @Test
  void whatIsNotWantedGoes() {
    Condition stalled = Conditions.isTrue(ConditionType.STALLED, Reason.QUARANTINED, "look");
    List<Condition> existing = Conditions.merge(List.of(), List.of(ready("up"), stalled), THEN, 1L);

    assertThat(Conditions.merge(existing, List.of(ready("up")), NOW, 1L))
        .extracting(Condition::getType)
        .containsExactly("Ready");
  }

  @Test
  void whatNobodyLookedAtIsAboutNoGeneration() {
    assertThat(Conditions.merge(List.of(), List.of(ready("up")), NOW, -1L).getFirst())
        .extracting(Condition::getObservedGeneration)
        .isNull();
  }

  @Test
  void aTypeTwiceIsAMistake() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Conditions.merge(List.of(), List.of(ready("a"), ready("b")), THEN, 1L))
        .withMessageContaining("Ready");
  }

  @Test
  void aLongMessageIsCut() {
    Condition condition = ready("x".repeat(10_000));

    assertThat(condition.getMessage()).hasSize(Conditions.MAX_MESSAGE).endsWith("x…");
  }

  @Test
  void findsAndJudges() {
    List<Condition> conditions =
        List.of(ready("up"), Conditions.isFalse("Routed", Reason.WAITING_ROOM, "held"));

    assertThat(Conditions.holds(conditions, "Ready")).isTrue();
    assertThat(Conditions.holds(conditions, "Routed")).isFalse();
    assertThat(Conditions.holds(conditions, "Placed")).isFalse();
    assertThat(Conditions.hasReason(conditions, "Routed", Reason.WAITING_ROOM)).isTrue();
    assertThat(Conditions.hasReason(conditions, "Ready", Reason.WAITING_ROOM)).isFalse();
  }

  private static Condition ready(String message) {
    return Conditions.isTrue(ConditionType.READY, Reason.READY, message);
  }
}
