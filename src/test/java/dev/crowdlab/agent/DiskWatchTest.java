package dev.crowdlab.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.crowdlab.protocol.FromAgent.DiskState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DiskWatchTest {

  private static final Path STATE = Path.of("/var/lib/crowdlab");
  private static final Path CONTAINERS = Path.of("/var/lib/containers/storage");
  private static final Duration NEVER = Duration.ofDays(1);
  private static final Duration AT_ONCE = Duration.ofMillis(1);
  private static final Duration PATIENCE = Duration.ofMillis(50);

  /** Disks that are as the test wants them. */
  private final class FakeDisks implements Disks {
    final Map<Path, DiskState> states = new ConcurrentHashMap<>();
    final Map<Path, Object> devices = new ConcurrentHashMap<>(Map.of(STATE, 1, CONTAINERS, 1));
    final List<Path> written = new CopyOnWriteArrayList<>();
    final AtomicInteger broken = new AtomicInteger();
    volatile @Nullable CountDownLatch hang;

    @Override
    public Trial write(Path folder, int files) {
      written.add(folder);
      CountDownLatch held = hang;
      if (held != null) {
        try {
          held.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
      if (broken.getAndDecrement() > 0) {
        throw new IllegalStateException("a fault of ours");
      }
      return new Trial(
          Optional.of(states.getOrDefault(folder, DiskState.WRITABLE)), Long.MAX_VALUE, "");
    }

    @Override
    public Optional<Object> device(Path folder) {
      return Optional.ofNullable(devices.get(folder));
    }
  }

  private final FakeDisks disks = new FakeDisks();
  private final List<DiskState> news = new CopyOnWriteArrayList<>();
  private final ExecutorService executor = Executors.newCachedThreadPool();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

  @AfterEach
  void stop() {
    CountDownLatch held = disks.hang;
    if (held != null) {
      held.countDown();
    }
    timer.shutdownNow();
    executor.shutdownNow();
  }

  private DiskWatch watch(Duration often, Duration soon) {
    DiskWatch watch =
        new DiskWatch(
            disks,
            STATE,
            CONTAINERS,
            news::add,
            new DiskWatch.Pace(often, soon, PATIENCE),
            executor,
            timer);
    watch.start();
    return watch;
  }

  private void looksAgain() {
    int before = disks.written.size();
    await().until(() -> disks.written.size() > before + 1);
  }

  @Test
  void eachChangeIsToldOnceTheFirstVerdictToo() {
    DiskWatch watch = watch(AT_ONCE, AT_ONCE);
    await().until(() -> news.equals(List.of(DiskState.WRITABLE)));
    looksAgain();

    disks.states.put(STATE, DiskState.FULL);
    await().until(() -> watch.held().equals(Optional.of(DiskState.FULL)));
    assertThat(watch.text()).isEqualTo("full: /var/lib/crowdlab");
    looksAgain();

    disks.states.remove(STATE);
    await().until(() -> watch.held().equals(Optional.of(DiskState.WRITABLE)));
    assertThat(watch.text()).isEqualTo("writable");
    assertThat(news).containsExactly(DiskState.WRITABLE, DiskState.FULL, DiskState.WRITABLE);
  }

  @Test
  void aDiskThatIsWellIsLookedAtSeldomAndOneThatIsNotSoon() {
    watch(NEVER, AT_ONCE);
    await().until(() -> news.equals(List.of(DiskState.WRITABLE)));
    assertThat(disks.written).hasSize(1);

    disks.states.put(STATE, DiskState.READ_ONLY);
    await().during(Duration.ofMillis(200)).until(() -> disks.written.size() == 1);

    disks.written.clear();
    DiskWatch other = watch(NEVER, AT_ONCE);
    await().until(() -> other.held().equals(Optional.of(DiskState.READ_ONLY)));
    looksAgain();
  }

  @Test
  void whoSuspectsItIsToldSoon() {
    DiskWatch watch = watch(NEVER, AT_ONCE);
    await().until(() -> news.equals(List.of(DiskState.WRITABLE)));
    disks.states.put(STATE, DiskState.FULL);

    watch.suspect();

    await().until(() -> news.equals(List.of(DiskState.WRITABLE, DiskState.FULL)));
  }

  @Test
  void howeverOftenItIsSuspectedItIsNotLookedAtMoreOften() {
    DiskWatch watch = watch(NEVER, NEVER);
    await().until(() -> news.equals(List.of(DiskState.WRITABLE)));

    for (int i = 0; i < 100; i++) {
      watch.suspect();
    }

    await().pollDelay(PATIENCE).until(() -> disks.written.size() == 1);
  }

  @Test
  void aWriteThatDoesNotEndHoldsUpNobodyAndSaysNothing() {
    DiskWatch watch = watch(AT_ONCE, AT_ONCE);
    await().until(() -> news.equals(List.of(DiskState.WRITABLE)));
    CountDownLatch held = new CountDownLatch(1);
    disks.hang = held;
    disks.states.put(STATE, DiskState.FULL);

    await().until(() -> watch.text().equals("writable; a write does not end"));
    int begun = disks.written.size();
    watch.suspect();
    await().pollDelay(PATIENCE).until(() -> disks.written.size() == begun);
    assertThat(watch.held()).contains(DiskState.WRITABLE);

    disks.hang = null;
    held.countDown();
    await().until(() -> news.equals(List.of(DiskState.WRITABLE, DiskState.FULL)));
  }

  @Test
  void aLookThatFailsIsNotTheLast() {
    disks.broken.set(2);

    watch(AT_ONCE, AT_ONCE);

    await().until(() -> news.equals(List.of(DiskState.WRITABLE)));
  }

  @Test
  void podmansFolderIsLookedAtWhereItIsOnAnotherFileSystem() {
    DiskWatch watch = watch(AT_ONCE, AT_ONCE);
    looksAgain();
    assertThat(disks.written).containsOnly(STATE);

    disks.devices.put(CONTAINERS, 2);
    disks.states.put(CONTAINERS, DiskState.FULL);
    await().until(() -> watch.held().equals(Optional.of(DiskState.FULL)));
    assertThat(watch.text()).isEqualTo("full: /var/lib/containers/storage");

    disks.states.put(STATE, DiskState.READ_ONLY);
    await().until(() -> watch.held().equals(Optional.of(DiskState.READ_ONLY)));
    assertThat(watch.text()).isEqualTo("read-only: /var/lib/crowdlab, /var/lib/containers/storage");

    disks.states.remove(STATE);
    disks.devices.remove(CONTAINERS);
    await().until(() -> watch.held().equals(Optional.of(DiskState.WRITABLE)));
  }

  @Test
  void whenItEndsNothingIsWrittenAnyMore() {
    DiskWatch watch = watch(AT_ONCE, AT_ONCE);
    looksAgain();

    watch.end();

    // One may be under way.
    int atMost = disks.written.size() + 1;
    await().during(PATIENCE).until(() -> disks.written.size() <= atMost);
  }
}
