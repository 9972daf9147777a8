package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RestartsTest {

  private final Restarts restarts = new Restarts();

  private long end(long now) {
    long due = restarts.due("web", now);
    restarts.started("web", due);
    return due;
  }

  @Test
  void thePausesGrowUpToAMinute() {
    // given
    long now = 0;
    restarts.started("web", now);
    List<Long> pauses = new ArrayList<>();

    // when
    for (int i = 0; i < 8; i++) {
      long due = end(now);
      pauses.add(Duration.ofNanos(due - now).toMillis());
      now = due;
    }

    // then
    assertThat(pauses)
        .containsExactly(200L, 800L, 3_200L, 12_800L, 51_200L, 60_000L, 60_000L, 60_000L);
    assertThat(restarts.count("web")).isEqualTo(8);
  }

  @Test
  void aContainerThatEndsTooOftenIsHopelessUntilItHasRunForAMinute() {
    // given
    long now = 0;
    restarts.started("web", now);
    for (int i = 0; i < Restarts.PATIENCE - 1; i++) {
      now = end(now);
    }
    assertThat(restarts.hopeless("web")).isFalse();

    // when
    now = end(now);

    // then
    assertThat(restarts.hopeless("web")).isTrue();

    // when
    restarts.running("web", now + Duration.ofSeconds(61).toNanos());

    // then
    assertThat(restarts.hopeless("web")).isFalse();
  }

  @Test
  void theSameEndCountsOnce() {
    restarts.started("web", 0);

    assertThat(restarts.due("web", 10)).isEqualTo(restarts.due("web", 20));
    assertThat(restarts.count("web")).isEqualTo(1);
  }
}
