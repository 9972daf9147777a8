package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HubTest {

  /** As {@code ScheduledExecutorService} does it: what throws is never run again. */
  @Test
  void aTaskThatEndsInAnErrorIsRepeated() throws Exception {
    CountDownLatch runs = new CountDownLatch(3);
    try (var timer = Executors.newSingleThreadScheduledExecutor()) {
      var repetition =
          timer.scheduleWithFixedDelay(
              Hub.guarded(
                  () -> {
                    runs.countDown();
                    throw new StackOverflowError("of a test");
                  }),
              0,
              1,
              TimeUnit.MILLISECONDS);

      assertThat(runs.await(10, TimeUnit.SECONDS)).isTrue();
      repetition.cancel(false);
    }
  }
}
