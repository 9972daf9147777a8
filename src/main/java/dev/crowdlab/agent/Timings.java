package dev.crowdlab.agent;

import java.time.Duration;

/**
 * How patient a team's worker is.
 *
 * @param portRetry between two tries to connect to a published port
 * @param look between two looks at a healthy team's mount
 * @param fullLook between two looks at its containers when nothing announced a change
 * @param attachFor how long attaching may take at first, all attempts together
 * @param mountDead how long a mount may be dead before its team is stopped
 * @param remove between two attempts to remove what cannot be removed
 * @param trust how long containers that ended again and again must run before they count as healthy
 * @param unused how long what was made ahead is kept for a run that does not come
 */
record Timings(
    Duration portRetry,
    Duration look,
    Duration fullLook,
    Duration attachFor,
    Duration mountDead,
    Duration remove,
    Duration trust,
    Duration unused) {

  Timings withUnused(Duration other) {
    return new Timings(portRetry, look, fullLook, attachFor, mountDead, remove, trust, other);
  }

  Timings withMountDead(Duration other) {
    return new Timings(portRetry, look, fullLook, attachFor, other, remove, trust, unused);
  }

  Timings withRemove(Duration other) {
    return new Timings(portRetry, look, fullLook, attachFor, mountDead, other, trust, unused);
  }

  static Timings standard(Duration mountDead) {
    return new Timings(
        Duration.ofMillis(20),
        Duration.ofSeconds(2),
        Duration.ofSeconds(30),
        Duration.ofSeconds(60),
        mountDead,
        Duration.ofSeconds(2),
        Duration.ofSeconds(10),
        Duration.ofMinutes(5));
  }
}
