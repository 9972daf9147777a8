package dev.crowdlab.agent;

import dev.crowdlab.agent.Disks.Trial;
import dev.crowdlab.protocol.FromAgent.DiskState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds out again and again whether the agent's state, and podman's where that is on another file
 * system, can be written. A write that does not end holds up nothing but the next look, and says
 * nothing: what was held stays held.
 */
final class DiskWatch {

  private static final Logger LOG = Logger.getLogger(DiskWatch.class.getName());

  /**
   * How often it looks.
   *
   * @param often between two looks at disks that are well
   * @param soon between two looks when one is not, or something else failed
   * @param patience after which a look that has not ended is told of
   */
  record Pace(Duration often, Duration soon, Duration patience) {
    static final Pace STANDARD =
        new Pace(Duration.ofSeconds(10), Duration.ofSeconds(2), Duration.ofSeconds(30));
  }

  private final Disks disks;
  private final Path state;
  private final Path containers;
  private final Consumer<DiskState> news;
  private final Pace pace;
  private final Executor executor;
  private final ScheduledExecutorService timer;

  /** Of each folder that is looked at; used by the thread that looks only. */
  private final Map<Path, DiskVerdict> verdicts = new LinkedHashMap<>();

  /** What was said of trials that told nothing, so that it is said once. */
  private List<String> complaints = List.of();

  // Guarded by this.
  private boolean looking;
  private boolean suspected;
  private boolean ended;
  private long began;
  private @Nullable ScheduledFuture<?> next;

  private volatile Optional<DiskState> held = Optional.empty();
  private volatile String where = "";

  /**
   * @param state the agent's folder
   * @param containers podman's folder
   * @param news is told of each change, the first verdict included, on the thread that looks
   */
  DiskWatch(
      Disks disks,
      Path state,
      Path containers,
      Consumer<DiskState> news,
      Pace pace,
      Executor executor,
      ScheduledExecutorService timer) {
    this.disks = disks;
    this.state = state;
    this.containers = containers;
    this.news = news;
    this.pace = pace;
    this.executor = executor;
    this.timer = timer;
  }

  /** Looks for the first time, and from now on. */
  void start() {
    lookIn(Duration.ZERO);
  }

  /** Something failed that may have wanted to write: looks soon. */
  synchronized void suspect() {
    suspected = true;
    if (!looking && next != null) {
      Duration since = Duration.ofNanos(System.nanoTime() - began);
      lookIn(since.compareTo(pace.soon()) < 0 ? pace.soon().minus(since) : Duration.ZERO);
    }
  }

  /** Looks no more. */
  synchronized void end() {
    ended = true;
    if (next != null) {
      next.cancel(false);
    }
  }

  /** What is held of the disks, the worst of them; empty before the first look has ended. */
  Optional<DiskState> held() {
    return held;
  }

  /** The same for a person. */
  String text() {
    String verdict =
        held.map(DiskWatch::word).orElse("not known yet") + (where.isEmpty() ? "" : ": " + where);
    return isStuck() ? verdict + "; a write does not end" : verdict;
  }

  private synchronized boolean isStuck() {
    return looking && System.nanoTime() - began > pace.patience().toNanos();
  }

  private synchronized void lookIn(Duration time) {
    if (next != null) {
      next.cancel(false);
    }
    if (!ended) {
      next = timer.schedule(this::begin, time.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  private void begin() {
    long now = System.nanoTime();
    synchronized (this) {
      if (looking) {
        return;
      }
      looking = true;
      suspected = false;
      began = now;
    }
    try {
      long patience = pace.patience().toNanos() + 1;
      var _ = timer.schedule(() -> complainOf(now), patience, TimeUnit.NANOSECONDS);
      executor.execute(this::look);
    } catch (RuntimeException | Error e) {
      // There was no thread to be had, or everything ends.
      LOG.log(Level.WARNING, "the disk cannot be looked at", e);
      rest();
    }
  }

  private synchronized void complainOf(long look) {
    if (look == began && isStuck()) {
      LOG.warning(
          "a write has not ended for " + pace.patience().toSeconds() + " s: the disk hangs");
    }
  }

  private void look() {
    try {
      judge();
    } catch (RuntimeException | Error e) {
      LOG.log(Level.SEVERE, "a look at the disk failed", e);
    } finally {
      rest();
    }
  }

  private synchronized void rest() {
    looking = false;
    boolean well = held.filter(now -> now == DiskState.WRITABLE).isPresent();
    lookIn(well && !suspected ? pace.often() : pace.soon());
  }

  private void judge() {
    verdicts.computeIfAbsent(state, _ -> new DiskVerdict());
    Optional<Object> ofContainers = disks.device(containers);
    if (ofContainers.isPresent() && !ofContainers.equals(disks.device(state))) {
      verdicts.computeIfAbsent(containers, _ -> new DiskVerdict());
    } else {
      verdicts.remove(containers);
    }
    List<String> unclear = new ArrayList<>();
    for (Map.Entry<Path, DiskVerdict> each : verdicts.entrySet()) {
      Trial trial = disks.write(each.getKey(), each.getValue().files());
      each.getValue().heed(trial);
      if (trial.state().isEmpty()) {
        unclear.add(each.getKey() + ": " + trial.why());
      }
    }
    if (!unclear.equals(complaints)) {
      complaints = unclear;
      unclear.forEach(each -> LOG.warning(Texts.message("cannot be written: " + each)));
    }
    conclude();
  }

  /** The worst counts: one that a person must mend more than one that only lacks room. */
  private void conclude() {
    Optional<DiskState> worst =
        verdicts.values().stream()
            .flatMap(verdict -> verdict.held().stream())
            .max(Comparator.naturalOrder());
    where =
        verdicts.entrySet().stream()
            .filter(
                each -> each.getValue().held().filter(it -> it != DiskState.WRITABLE).isPresent())
            .map(each -> each.getKey().toString())
            .collect(Collectors.joining(", "));
    if (worst.isPresent() && !worst.equals(held)) {
      held = worst;
      LOG.log(
          worst.get() == DiskState.WRITABLE ? Level.INFO : Level.WARNING, "the disk is " + text());
      news.accept(worst.get());
    }
  }

  private static String word(DiskState state) {
    return state.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
