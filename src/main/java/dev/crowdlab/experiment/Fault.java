package dev.crowdlab.experiment;

import java.util.concurrent.TimeoutException;

/** A kind of fault: what is done to a team's machine, and what shall become of the team. */
public interface Fault {

  /** Of lower-case letters, digits and hyphens. */
  String name();

  Expectation expectation();

  /**
   * The team that is watched, and the machine that carries it.
   *
   * @param namespace of both
   */
  record Target(String namespace, String team, String vm) {}

  /** The fault could not be injected or undone. */
  final class FaultException extends Exception {
    private static final long serialVersionUID = 1L;

    public FaultException(String message) {
      super(message);
    }

    public FaultException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** Makes ready what has to be ready before; the team works. Does nothing by default. */
  default void prepare(Target target) throws FaultException, InterruptedException {}

  /** Injects it. The moment just before the call is what times count from. */
  void inject(Target target) throws FaultException, InterruptedException;

  /** What goes on after the injection; returns when the team is left to itself. */
  default void meanwhile(Target target)
      throws FaultException, InterruptedException, TimeoutException {}

  /** Makes everything as it was. Called also when the injection failed half-way. */
  void undo(Target target) throws FaultException, InterruptedException;
}
