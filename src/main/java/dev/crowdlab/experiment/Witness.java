package dev.crowdlab.experiment;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.oracle.Breach;
import dev.crowdlab.oracle.Exchange;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Looks at one team from outside, all the time: as a student, and as whoever keeps the lines. */
public interface Witness extends AutoCloseable {

  /** Finds a witness for each team. */
  interface Source {
    Witness of(LabTeam team);
  }

  /** Nobody looks. */
  Source NOBODY = team -> new Nobody();

  /**
   * Waits until all that it looks at works.
   *
   * @return what did not within the bound; empty when all works
   */
  Optional<String> awaitWell(Duration bound) throws InterruptedException;

  /** What a student asked from a moment on, in order. */
  List<Exchange> exchanges(Instant from);

  /** How often the exercise's writer began until now; 0 when nobody counts. */
  int writers();

  /** What was broken of the promises, from the beginning to now. */
  List<Breach> breaches();

  @Override
  void close();

  /** Who sees nothing. */
  record Nobody() implements Witness {
    @Override
    public Optional<String> awaitWell(Duration bound) {
      return Optional.empty();
    }

    @Override
    public List<Exchange> exchanges(Instant from) {
      return List.of();
    }

    @Override
    public int writers() {
      return 0;
    }

    @Override
    public List<Breach> breaches() {
      return List.of();
    }

    @Override
    public void close() {}
  }
}
