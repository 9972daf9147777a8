package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BackoffTest {

  @Test
  void pausesBeginShortDoubleAndEndAtTenSeconds() {
    Backoff backoff = new Backoff(new Random(1));
    long whole = 100;
    for (int i = 0; i < 40; i++) {
      assertThat(backoff.next()).isBetween(Duration.ofMillis(whole / 2), Duration.ofMillis(whole));
      whole = Math.min(10_000, whole * 2);
    }

    backoff.reset();

    assertThat(backoff.next()).isLessThanOrEqualTo(Duration.ofMillis(100));
  }

  @Test
  void agentsDoNotComeBackInStep() {
    assertThat(new Backoff(new Random(1)).next()).isNotEqualTo(new Backoff(new Random(2)).next());
  }
}
