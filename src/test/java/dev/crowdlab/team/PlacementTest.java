package dev.crowdlab.team;

import static dev.crowdlab.team.Samples.view;
import static dev.crowdlab.team.Samples.vm;
import static dev.crowdlab.team.Samples.withReady;
import static dev.crowdlab.team.Samples.withSpec;
import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.Quarantine;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.Spread;
import dev.crowdlab.core.Conditions;
import dev.crowdlab.team.Placement.Candidate;
import dev.crowdlab.team.Placement.Chosen;
import dev.crowdlab.team.Placement.NoCapacity;
import dev.crowdlab.team.Placement.Request;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PlacementTest {

  private static final Demand SMALL = new Demand(500, 1 << 20);

  @Test
  void takesTheLeastLoadedMachineOfTheContributorWithTheFewestTeams() {
    List<Candidate> candidates =
        List.of(
            candidate(view("alice-1", "Alice", 4), 0),
            candidate(view("alice-2", "Alice", 4), 3),
            candidate(view("bob-1", "Bob", 4), 2),
            candidate(view("bob-2", "Bob", 4), 0));

    assertThat(choose(candidates, Map.of("Alice", 3, "Bob", 2), Spread.CONTRIBUTOR))
        .isEqualTo(new Chosen(view("bob-2", "Bob", 4), 3));
  }

  @Test
  void fillsOneMachineAfterTheOtherWhenAskedTo() {
    List<Candidate> candidates =
        List.of(
            candidate(view("alice-1", "Alice", 4), 0),
            candidate(view("alice-2", "Alice", 4), 3),
            candidate(view("bob-1", "Bob", 4), 4));

    assertThat(choose(candidates, Map.of("Alice", 3, "Bob", 4), Spread.NONE))
        .isEqualTo(new Chosen(view("alice-2", "Alice", 4), 1));
  }

  @Test
  void staysWhereItIsPreferred() {
    List<Candidate> candidates =
        List.of(candidate(view("alice-1", "Alice", 4), 3), candidate(view("bob-1", "Bob", 4), 0));

    assertThat(
            Placement.choose(
                candidates, Map.of("Alice", 3), request(SMALL, null, "uid-alice-1", null, null)))
        .isEqualTo(new Chosen(view("alice-1", "Alice", 4), 1));
  }

  @Test
  void goesBackToWhatItAvoidsOnlyWhenNothingElseWillDo() {
    Candidate alice = candidate(view("alice-1", "Alice", 4), 0);
    Candidate bob = candidate(view("bob-1", "Bob", 4), 3);
    Request avoiding = request(SMALL, null, null, "uid-alice-1", null);

    assertThat(Placement.choose(List.of(alice, bob), Map.of(), avoiding))
        .isEqualTo(new Chosen(bob.vm(), 1));
    assertThat(Placement.choose(List.of(alice), Map.of(), avoiding))
        .isEqualTo(new Chosen(alice.vm(), 0));
  }

  @Test
  void neverTakesTheMachineItLeaves() {
    Candidate alice = candidate(view("alice-1", "Alice", 4), 0);

    assertThat(
            Placement.choose(
                List.of(alice), Map.of(), request(SMALL, null, null, null, "uid-alice-1")))
        .isEqualTo(new NoCapacity(1, 1, 0, 0, 0));
  }

  static Stream<Arguments> unfit() {
    ContributedVM deleting = vm("a", "A", 4);
    deleting.getMetadata().setDeletionTimestamp("2026-01-02T03:00:00Z");
    ContributedVM quarantined = vm("a", "A", 4);
    quarantined.setStatus(
        quarantined.getStatus().toBuilder().quarantine(new Quarantine("q", null, null)).build());
    ContributedVM outside = vm("a", "A", 4);
    outside.setStatus(
        outside.getStatus().toBuilder()
            .conditions(List.of(Conditions.isFalse(ConditionType.READY, Reason.OUTSIDE_WINDOW, "")))
            .build());
    ContributedVM withoutAddress = vm("a", "A", 4);
    withoutAddress.setStatus(withoutAddress.getStatus().toBuilder().address(null).build());
    return Stream.of(
        Arguments.of("not ready", candidate(VmView.of(withReady(vm("a", "A", 4), false)), 0)),
        Arguments.of("cordoned", candidate(VmView.of(withSpec(vm("a", "A", 4), false, false)), 0)),
        Arguments.of("drained", candidate(VmView.of(withSpec(vm("a", "A", 4), true, true)), 0)),
        Arguments.of("deleting", candidate(VmView.of(deleting), 0)),
        Arguments.of("quarantined", candidate(VmView.of(quarantined), 0)),
        Arguments.of("outside its window", candidate(VmView.of(outside), 0)),
        Arguments.of("no address", candidate(VmView.of(withoutAddress), 0)),
        Arguments.of("not reachable", new Candidate(view("a", "A", 4), false, Demand.NONE, 0)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void unfit(String why, Candidate candidate) {
    assertThat(choose(List.of(candidate), Map.of(), Spread.CONTRIBUTOR))
        .as(why)
        .isEqualTo(new NoCapacity(1, 1, 0, 0, 0));
  }

  static Stream<Arguments> full() {
    VmView vm = view("a", "A", 4);
    return Stream.of(
        Arguments.of("teams", new Candidate(vm, true, Demand.NONE, 4), 0),
        Arguments.of("cpu", new Candidate(vm, true, new Demand(3_501, 0), 1), 3),
        Arguments.of("memory", new Candidate(vm, true, new Demand(0, 8L << 30), 1), 3));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void full(String what, Candidate candidate, int placesLeft) {
    assertThat(choose(List.of(candidate), Map.of(), Spread.CONTRIBUTOR))
        .as(what)
        .isEqualTo(new NoCapacity(1, 1, 1, placesLeft, 0));
  }

  @Test
  void theLastRoomIsUsed() {
    Candidate candidate = new Candidate(view("a", "A", 4), true, new Demand(3_500, 0), 3);

    assertThat(choose(List.of(candidate), Map.of(), Spread.CONTRIBUTOR)).isInstanceOf(Chosen.class);
  }

  @Test
  void theNumbersSayWhyThereIsNoRoom() {
    assertThat(new NoCapacity(0, 0, 0, 0, 0).message()).contains("no ContributedVM");
    assertThat(new NoCapacity(3, 0, 0, 0, 0).message())
        .contains("vmSelector")
        .contains("none of 3");
    assertThat(new NoCapacity(3, 2, 1, 5, 0).message())
        .contains("1 of 2 matching machines")
        .contains("5 places");
    assertThat(new NoCapacity(3, 2, 0, 0, 1).message())
        .contains("1 of 2 matching machines take new teams")
        .contains("could not be made ready");
    assertThat(new NoCapacity(3, 2, 1, 0, 1).message())
        .contains("1 of 2 matching machines", "1 more could not be made ready");
    assertThat(new NoCapacity(3, 0, 0, 0, 0).nothingMatches()).isTrue();
    assertThat(new NoCapacity(0, 0, 0, 0, 0).nothingMatches()).isFalse();
  }

  static Stream<Arguments> selectors() {
    return Stream.of(
        Arguments.of(null, true),
        Arguments.of(new LabelSelector(), true),
        Arguments.of(new LabelSelectorBuilder().addToMatchLabels("site", "potsdam").build(), true),
        Arguments.of(new LabelSelectorBuilder().addToMatchLabels("site", "berlin").build(), false),
        Arguments.of(expression("site", "In", "potsdam", "berlin"), true),
        Arguments.of(expression("site", "NotIn", "potsdam"), false),
        Arguments.of(expression("gpu", "NotIn", "a100"), true),
        Arguments.of(expression("site", "Exists"), true),
        Arguments.of(expression("gpu", "Exists"), false),
        Arguments.of(expression("gpu", "DoesNotExist"), true),
        Arguments.of(expression("site", "Contains", "pots"), false));
  }

  @ParameterizedTest
  @MethodSource
  void selectors(@Nullable LabelSelector selector, boolean matches) {
    assertThat(Labels.match(selector, Map.of("site", "potsdam"))).isEqualTo(matches);
  }

  private static LabelSelector expression(String key, String operator, String... values) {
    return new LabelSelectorBuilder()
        .addNewMatchExpression()
        .withKey(key)
        .withOperator(operator)
        .withValues(values)
        .endMatchExpression()
        .build();
  }

  private static Candidate candidate(VmView vm, int teams) {
    return new Candidate(vm, true, new Demand(teams, teams), teams);
  }

  private static Placement.Result choose(
      List<Candidate> candidates, Map<String, Integer> teamsOf, Spread spread) {
    return Placement.choose(
        candidates, teamsOf, new Request(SMALL, null, spread, null, null, null, Set.of()));
  }

  private static Request request(
      Demand demand,
      @Nullable LabelSelector selector,
      @Nullable String prefer,
      @Nullable String avoid,
      @Nullable String exclude) {
    return new Request(demand, selector, Spread.CONTRIBUTOR, prefer, avoid, exclude, Set.of());
  }
}
