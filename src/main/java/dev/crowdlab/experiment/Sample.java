package dev.crowdlab.experiment;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.Creation;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.StepTime;
import dev.crowdlab.api.TeamStep;
import dev.crowdlab.core.Times;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One creation or one recovery, measured: how long each step took after the one before.
 *
 * @param series {@link #CREATION}, or the fault's name
 * @param laps in their order; the first of a recovery is its detection
 * @param answered until a student's first right answer, from the same moment as the laps; null when
 *     no student asked
 */
public record Sample(
    String series,
    int run,
    String team,
    @Nullable String cause,
    @Nullable String from,
    @Nullable String to,
    List<Lap> laps,
    @Nullable Duration answered) {

  /** The series of all creations. */
  public static final String CREATION = "creation";

  /** The step that ends every creation and recovery. */
  public static final String READY = "Ready";

  static final String DETECTED = TeamStep.DETECTED.toString();

  /** A step and the time since the step before. */
  public record Lap(String step, Duration took) {}

  public Sample {
    requireNonNull(series, "series");
    requireNonNull(team, "team");
    laps = List.copyOf(laps);
  }

  /**
   * A creation, from the operator's first sight of the team to Ready.
   *
   * @throws IllegalArgumentException when it has not ended
   */
  public static Sample ofCreation(
      int run, String team, @Nullable String on, Creation creation, @Nullable Duration answered) {
    String seen = creation.firstSeen();
    String duration = creation.duration();
    if (seen == null || duration == null) {
      throw new IllegalArgumentException(team + " was not created yet");
    }
    Instant start = Times.parse(seen);
    Instant end = start.plus(Times.parseSeconds(duration));
    List<StepTime> steps =
        creation.steps().stream().filter(step -> step.name() != TeamStep.DETECTED).toList();
    return new Sample(CREATION, run, team, null, null, on, laps(start, steps, end), answered);
  }

  /**
   * A recovery, from the fault's injection to Ready.
   *
   * @param injected by the clock of who injected it
   * @throws IllegalArgumentException when it has not ended, or was detected before the injection:
   *     then this machine's clock and the operator's differ by too much to measure
   */
  public static Sample ofRecovery(
      String fault,
      int run,
      String team,
      Instant injected,
      Recovery recovery,
      @Nullable Instant answered) {
    String alive = recovery.lastSeenAlive();
    String detected = recovery.detectedAt();
    String duration = recovery.duration();
    String since = alive != null ? alive : detected;
    if (detected == null || since == null || duration == null) {
      throw new IllegalArgumentException(team + " was not recovered yet");
    }
    if (Times.parse(detected).isBefore(injected)) {
      throw new IllegalArgumentException(
          "the operator's clock says that the fault was detected before it was injected: set the"
              + " clocks of both machines");
    }
    Instant end = Times.parse(since).plus(Times.parseSeconds(duration));
    return new Sample(
        fault,
        run,
        team,
        recovery.cause().toString(),
        recovery.from(),
        recovery.to(),
        laps(injected, recovery.steps(), end),
        answered == null ? null : Duration.between(injected, answered));
  }

  private static List<Lap> laps(Instant start, List<StepTime> steps, Instant end) {
    List<Lap> laps = new ArrayList<>();
    Instant before = start;
    for (StepTime step : steps) {
      Instant at = Times.parse(step.at());
      laps.add(new Lap(step.name().toString(), Duration.between(before, at)));
      before = at;
    }
    laps.add(new Lap(READY, Duration.between(before, end)));
    return laps;
  }

  boolean isCreation() {
    return series.equals(CREATION);
  }

  /** All of it. */
  public Duration total() {
    return laps.stream().map(Lap::took).reduce(Duration.ZERO, Duration::plus);
  }

  /** How long nobody knew of the fault; zero in a creation. */
  public Duration detection() {
    return took(DETECTED);
  }

  /** All but the detection: what recovery and creation have in common. */
  public Duration work() {
    return total().minus(detection());
  }

  private Duration took(String step) {
    return laps.stream()
        .filter(lap -> lap.step().equals(step))
        .map(Lap::took)
        .reduce(Duration.ZERO, Duration::plus);
  }
}
