package dev.crowdlab.experiment;

import dev.crowdlab.api.LabTeam;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/** What the experiment asks of a cluster. Each call ends within its bound. */
public interface Cluster {

  String namespace();

  /** Applies a team. */
  void create(String team);

  /**
   * Waits until a team is as wanted, and gives it as it was then.
   *
   * @param what it is waited for, for the exception's message
   * @throws TimeoutException when it does not come to that
   */
  LabTeam await(String team, String what, Predicate<LabTeam> wanted, Duration bound)
      throws TimeoutException;

  /** The machines that are Ready. */
  Set<String> readyMachines();

  /** Waits until these machines are Ready. */
  void awaitMachines(Set<String> names, Duration bound) throws TimeoutException;

  /** Deletes a team and waits until it is gone; one that is not there is gone. */
  void delete(String team, Duration bound) throws TimeoutException;
}
