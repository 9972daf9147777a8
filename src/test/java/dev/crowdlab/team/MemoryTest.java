package dev.crowdlab.team;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class MemoryTest {

  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");
  private static final Duration A_WHILE = Duration.ofMinutes(2);

  @Test
  void machinesAreLeftAloneForAWhileAndThenForgotten() {
    Memory memory = Memory.EMPTY.shunning("uid-1", T0.plus(A_WHILE), T0);
    assertThat(memory.shunned(T0)).containsExactly("uid-1");
    assertThat(memory.shunned(T0.plus(A_WHILE))).isEmpty();

    Instant later = T0.plus(A_WHILE);
    memory = memory.shunning("uid-2", later.plus(A_WHILE), later);

    assertThat(memory.leaving().shunned()).containsOnlyKeys("uid-2");
  }
}
