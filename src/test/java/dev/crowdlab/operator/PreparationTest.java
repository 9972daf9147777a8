package dev.crowdlab.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.storage.FakeWorkspaces;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PreparationTest {

  private static final Duration BRIEF = Duration.ofMillis(2);
  private static final Duration SOON = Duration.ofSeconds(5);
  private static final Duration QUIET = Duration.ofMillis(100);

  private final FakeWorkspaces workspaces = new FakeWorkspaces();
  private final Preparation preparation = new Preparation(workspaces, BRIEF, BRIEF);

  @AfterEach
  void close() {
    preparation.close();
  }

  @Test
  void aFileServerThatIsAwayIsTriedUntilItIsPreparedAndThenLeftAlone() {
    workspaces.failWith(failure(Reason.FILE_SERVER_UNAVAILABLE));
    preparation.start();
    await().atMost(SOON).until(() -> workspaces.preparations() >= 3);

    workspaces.heal();
    assertThatItEnds();
  }

  @Test
  void theEndOfTheOperatorEndsIt() {
    workspaces.failWith(failure(Reason.FILE_SERVER_UNAVAILABLE));
    preparation.start();
    await().atMost(SOON).until(() -> workspaces.preparations() >= 1);

    preparation.close();
    assertThatItEnds();
  }

  @Test
  void aFileServerThatNobodyConfiguredIsAskedForOnce() {
    workspaces.failWith(failure(Reason.FILE_SERVER_NOT_CONFIGURED));
    preparation.start();

    await().atMost(SOON).until(() -> workspaces.preparations() == 1);
    await().during(QUIET).atMost(SOON).until(() -> workspaces.preparations() == 1);
  }

  @Test
  void delaysGrowToABound() {
    workspaces.failWith(failure(Reason.FILE_SERVER_UNAVAILABLE));
    try (Preparation slow =
        new Preparation(workspaces, Duration.ofMillis(50), Duration.ofHours(1))) {
      slow.start();
      // At 0, 50, 150, 350, 750 ms: never ten in a second.
      await().atMost(SOON).until(() -> workspaces.preparations() >= 3);
      await()
          .during(Duration.ofMillis(300))
          .atMost(SOON)
          .untilAsserted(() -> assertThat(workspaces.preparations()).isLessThan(8));
    }
  }

  private void assertThatItEnds() {
    int[] seen = {-1};
    await()
        .atMost(SOON)
        .pollInterval(QUIET)
        .until(
            () -> {
              int before = seen[0];
              seen[0] = workspaces.preparations();
              return before == seen[0];
            });
  }

  private static Failure failure(Reason reason) {
    return new Failure(Failure.Kind.TRANSIENT, reason, "it is away");
  }
}
