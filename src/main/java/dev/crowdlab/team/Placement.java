package dev.crowdlab.team;

import dev.crowdlab.api.Spread;
import dev.crowdlab.core.VmRef;
import io.fabric8.kubernetes.api.model.LabelSelector;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Chooses the machine for a team: a pure function. */
final class Placement {

  private Placement() {}

  /**
   * A machine as a candidate.
   *
   * @param reachable whether its agent is connected and nothing speaks against it
   * @param used what its teams reserve, without the team that is to be placed
   * @param teams how many they are
   */
  record Candidate(VmView vm, boolean reachable, Demand used, int teams) {}

  /**
   * What is asked for.
   *
   * @param prefer the machine to stay on if it will do, by UID
   * @param avoid the machine to go back to only if no other will do, by UID
   * @param exclude the machine to leave, by UID
   * @param shunned machines that are not to be asked again so soon, by UID
   */
  record Request(
      Demand demand,
      @Nullable LabelSelector selector,
      Spread spread,
      @Nullable String prefer,
      @Nullable String avoid,
      @Nullable String exclude,
      Set<String> shunned) {}

  /** The outcome. */
  sealed interface Result {}

  /**
   * A machine was found.
   *
   * @param alternatives how many others would have done
   */
  record Chosen(VmView vm, int alternatives) implements Result {}

  /**
   * No machine will do now.
   *
   * @param machines ContributedVMs of the namespace
   * @param matching of these, those that the selector selects
   * @param available of these, those that are ready and take new teams
   * @param teamsFree places for teams left on these
   * @param shunned of those that are ready and match, how many were left out because they could not
   *     be made ready for the team just now
   */
  record NoCapacity(int machines, int matching, int available, int teamsFree, int shunned)
      implements Result {

    /** Whether the selector, not room, is the obstacle. */
    boolean nothingMatches() {
      return machines > 0 && matching == 0;
    }

    /** Says it to a person. */
    String message() {
      if (machines == 0) {
        return "the namespace has no ContributedVM";
      }
      if (matching == 0) {
        return "spec.placement.vmSelector selects none of %d machines".formatted(machines);
      }
      if (available == 0 && shunned > 0) {
        return "%d of %d matching machines take new teams, and could not be made ready for this one; they are asked again soon"
            .formatted(shunned, matching);
      }
      String others =
          shunned == 0 ? "" : "; %d more could not be made ready for it".formatted(shunned);
      return "%d of %d matching machines take new teams, with %d places for teams left in all; none has room for what this team requests%s"
          .formatted(available, matching, teamsFree, others);
    }
  }

  /**
   * Chooses among the machines of the team's namespace.
   *
   * @param teamsOf how many teams each contributor carries in the namespace, by name
   */
  static Result choose(List<Candidate> candidates, Map<String, Integer> teamsOf, Request request) {
    List<Candidate> matching =
        candidates.stream()
            .filter(candidate -> Labels.match(request.selector(), candidate.vm().labels()))
            .toList();
    List<Candidate> willing =
        matching.stream()
            .filter(candidate -> isWelcome(candidate, request) && candidate.reachable())
            .filter(candidate -> !uid(candidate).equals(request.exclude()))
            .toList();
    List<Candidate> available =
        willing.stream().filter(candidate -> !request.shunned().contains(uid(candidate))).toList();
    List<Candidate> fitting =
        available.stream().filter(candidate -> hasRoom(candidate, request.demand())).toList();
    return fitting.stream()
        .min(order(teamsOf, request))
        .<Result>map(best -> new Chosen(best.vm(), fitting.size() - 1))
        .orElseGet(
            () ->
                new NoCapacity(
                    candidates.size(),
                    matching.size(),
                    available.size(),
                    available.stream()
                        .mapToInt(c -> Math.max(0, c.vm().capacity().teams() - c.teams()))
                        .sum(),
                    willing.size() - available.size()));
  }

  /** A cordon keeps new teams away; one that is there already may start anew. */
  private static boolean isWelcome(Candidate candidate, Request request) {
    return uid(candidate).equals(request.prefer())
        ? candidate.vm().mayKeep()
        : candidate.vm().welcoming();
  }

  private static boolean hasRoom(Candidate candidate, Demand demand) {
    VmView.Lent lent = candidate.vm().capacity();
    Demand then = candidate.used().plus(demand);
    return candidate.teams() < lent.teams()
        && (lent.cpuMillis() == 0 || then.cpuMillis() <= lent.cpuMillis())
        && (lent.memoryBytes() == 0 || then.memoryBytes() <= lent.memoryBytes());
  }

  /** The best first. The name comes last, so that equal ones are chosen the same way each time. */
  private static Comparator<Candidate> order(Map<String, Integer> teamsOf, Request request) {
    Comparator<Candidate> wish =
        Comparator.<Candidate, Boolean>comparing(c -> !uid(c).equals(request.prefer()))
            .thenComparing(c -> uid(c).equals(request.avoid()));
    Comparator<Candidate> load =
        switch (request.spread()) {
          case CONTRIBUTOR ->
              Comparator.<Candidate>comparingInt(
                      c -> Objects.requireNonNullElse(teamsOf.get(c.vm().contributor()), 0))
                  .thenComparingDouble(Placement::load);
          case NONE -> Comparator.<Candidate>comparingDouble(c -> -load(c));
        };
    return wish.thenComparing(load).thenComparing(c -> c.vm().ref().name());
  }

  /** How full a machine is, in 0..1: the fullest of its dimensions. */
  private static double load(Candidate candidate) {
    VmView.Lent lent = candidate.vm().capacity();
    return Math.max(
        share(candidate.teams(), lent.teams()),
        Math.max(
            share(candidate.used().cpuMillis(), lent.cpuMillis()),
            share(candidate.used().memoryBytes(), lent.memoryBytes())));
  }

  private static double share(long used, long lent) {
    return lent == 0 ? 0 : (double) used / lent;
  }

  private static String uid(Candidate candidate) {
    VmRef ref = candidate.vm().ref();
    return ref.uid();
  }
}
