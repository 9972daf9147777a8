package dev.crowdlab.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;

class TestBedExtensionTest {
  private static final Optional<String> NO_ROOT = Optional.of("lab hosts need root");

  @Test
  void runsWhereNothingIsMissing() {
    assertThat(TestBedExtension.judged(Optional.empty(), true).isDisabled()).isFalse();
  }

  @Test
  void skipsWithTheReasonWhereSomethingIsMissing() {
    ConditionEvaluationResult result = TestBedExtension.judged(NO_ROOT, false);

    assertThat(result.isDisabled()).isTrue();
    assertThat(result.getReason()).isEqualTo(NO_ROOT);
  }

  @Test
  void failsInsteadOfSkippingInCi() {
    assertThatThrownBy(() -> TestBedExtension.judged(NO_ROOT, true))
        .hasMessageContaining("lab hosts need root");
  }
}
