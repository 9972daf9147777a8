package dev.crowdlab.experiment;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeamStatus;
import dev.crowdlab.api.Recovery;
import dev.crowdlab.api.RecoveryCause;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** What shall become of a team when a fault was injected. */
public sealed interface Expectation {

  /** It is recovered on another machine, and status gives one of these causes. */
  record Moves(Set<RecoveryCause> causes) implements Expectation {
    public Moves {
      causes = Set.copyOf(causes);
    }

    @Override
    public String toString() {
      return "moves, "
          + causes.stream().map(Object::toString).sorted().collect(Collectors.joining(" or "));
    }
  }

  /** It stays on its machine; the exercise may start anew there, under an epoch of its own. */
  record Stays() implements Expectation {
    @Override
    public String toString() {
      return "stays";
    }
  }

  /** It is Ready again, wherever. */
  record Returns() implements Expectation {
    @Override
    public String toString() {
      return "returns";
    }
  }

  /**
   * No fault at all: machine, epoch and containers are as before.
   *
   * @param unnoticed whether students notice nothing either
   */
  record Unbroken(boolean unnoticed) implements Expectation {
    @Override
    public String toString() {
      return unnoticed ? "no fault, unnoticed" : "no fault";
    }
  }

  /**
   * What was seen.
   *
   * @param before the team's status when the fault was injected, bound and Ready
   * @param after its status when all was over
   * @param restarts how often the exercise's writer started anew; 0 when nobody looked
   * @param errors the student's requests that came to nothing; 0 when no student asked
   */
  record Seen(LabTeamStatus before, LabTeamStatus after, int restarts, int errors) {}

  /** What is otherwise than expected, a sentence each; nothing when all is as expected. */
  default List<String> unmet(Seen seen) {
    Binding before = seen.before().binding();
    Binding after = seen.after().binding();
    if (before == null || after == null) {
      return List.of("the team is bound to no machine");
    }
    List<String> unmet = new ArrayList<>();
    switch (this) {
      case Moves(Set<RecoveryCause> causes) -> {
        if (after.vm().equals(before.vm())) {
          unmet.add("it is on the same machine");
        }
        if (after.epoch() <= before.epoch()) {
          unmet.add("its epoch is " + after.epoch() + " as before");
        }
        recoveries(seen).stream()
            .map(Recovery::cause)
            .filter(cause -> !causes.contains(cause))
            .forEach(cause -> unmet.add("the cause in status is " + cause));
        if (recoveries(seen).isEmpty()) {
          unmet.add("status has no recovery");
        }
      }
      case Stays() -> stayed(before, after, unmet);
      case Returns() -> {}
      case Unbroken(boolean unnoticed) -> {
        stayed(before, after, unmet);
        if (after.epoch() != before.epoch()) {
          unmet.add("its epoch is " + after.epoch() + " after " + before.epoch());
        }
        recoveries(seen)
            .forEach(recovery -> unmet.add("status has a recovery: " + recovery.cause()));
        if (seen.restarts() > 0) {
          unmet.add("its exercise was started anew");
        }
        if (unnoticed && seen.errors() > 0) {
          unmet.add(seen.errors() + " of the student's requests came to nothing");
        }
      }
    }
    return List.copyOf(unmet);
  }

  private static void stayed(Binding before, Binding after, List<String> unmet) {
    if (!after.vm().equals(before.vm())) {
      unmet.add("it moved from " + before.vm() + " to " + after.vm());
    }
  }

  /** Those that came since, the newest first; status keeps ten. */
  private static List<Recovery> recoveries(Seen seen) {
    int more = count(seen.after()) - count(seen.before());
    return seen.after().recoveries().stream().limit(Math.max(0, more)).toList();
  }

  private static int count(LabTeamStatus status) {
    Integer count = status.recoveryCount();
    return count == null ? 0 : count;
  }
}
