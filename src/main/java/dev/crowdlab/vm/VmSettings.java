package dev.crowdlab.vm;

import java.time.Duration;

/**
 * The bounds of a machine's integration.
 *
 * @param probeBound for connecting and measuring
 * @param configureBound for configuring: packages come over the contributor's line
 * @param enrolBound for the agent to connect after it was started
 * @param reverify between two verifications
 * @param returning when a machine that was lost carries teams again
 * @param drainBound for teams to leave a machine that is deleted, or whose contributor wants it
 *     back; from that word, or the first look of an operator that came later
 * @param cleanupBound for all of its release, from the same moment. Then a deletion gives it up; a
 *     machine whose contributor wants it back is tried again, every {@code longestBackoff} and when
 *     it shows itself
 * @param firstBackoff before the first retry; doubled at each one
 * @param longestBackoff between retries
 * @param refresh of what is volatile in status (last seen), and the longest time between two looks
 */
public record VmSettings(
    Duration probeBound,
    Duration configureBound,
    Duration enrolBound,
    Duration reverify,
    Returning returning,
    Duration drainBound,
    Duration cleanupBound,
    Duration firstBackoff,
    Duration longestBackoff,
    Duration refresh) {

  /** What the operator uses unless it is configured otherwise. */
  public static VmSettings defaults() {
    return new VmSettings(
        Duration.ofSeconds(60),
        Duration.ofMinutes(10),
        Duration.ofSeconds(60),
        Duration.ofHours(1),
        Returning.DEFAULT,
        Duration.ofMinutes(2),
        Duration.ofMinutes(5),
        Duration.ofSeconds(2),
        Duration.ofMinutes(5),
        Duration.ofMinutes(1));
  }

  /** The same with other bounds for giving a machine back. */
  public VmSettings withRelease(Duration drain, Duration cleanup) {
    return new VmSettings(
        probeBound,
        configureBound,
        enrolBound,
        reverify,
        returning,
        drain,
        cleanup,
        firstBackoff,
        longestBackoff,
        refresh);
  }

  /** The same with another way back for machines that were lost. */
  public VmSettings withReturning(Returning value) {
    return new VmSettings(
        probeBound,
        configureBound,
        enrolBound,
        reverify,
        value,
        drainBound,
        cleanupBound,
        firstBackoff,
        longestBackoff,
        refresh);
  }

  /**
   * When a machine that was lost carries teams again: once its agent has been connected for a
   * while, which doubles with each loss that is not forgiven yet.
   *
   * @param stable after the first loss
   * @param longest after many
   * @param forgive for each of these times that it stays, one loss is forgiven
   */
  public record Returning(Duration stable, Duration longest, Duration forgive) {

    static final Returning DEFAULT =
        new Returning(Duration.ofSeconds(10), Duration.ofMinutes(10), Duration.ofHours(1));

    /** How long it must be back after so many losses. */
    public Duration period(int flaps) {
      Duration period = stable;
      for (int i = 1; i < flaps && period.compareTo(longest) < 0; i++) {
        period = period.multipliedBy(2);
      }
      return period.compareTo(longest) < 0 ? period : longest;
    }
  }

  /** The same with another time between verifications. */
  public VmSettings withReverify(Duration value) {
    return new VmSettings(
        probeBound,
        configureBound,
        enrolBound,
        value,
        returning,
        drainBound,
        cleanupBound,
        firstBackoff,
        longestBackoff,
        refresh);
  }
}
