package dev.crowdlab.team;

import static dev.crowdlab.team.Samples.T0;
import static dev.crowdlab.team.Samples.team;
import static dev.crowdlab.team.Samples.view;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Spread;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.team.Reservations.Machine;
import dev.crowdlab.team.Reservations.None;
import dev.crowdlab.team.Reservations.Place;
import dev.crowdlab.team.Reservations.Reserved;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class ReservationsTest {

  private Instant now = T0;
  private final Reservations reservations = fresh();

  @Test
  void nothingIsGivenAwayBeforeWhatIsTakenIsKnown() {
    Reservations unknown = new Reservations(new PortAllocator.Range(20_000, 29_999), () -> now);

    assertThatIllegalStateException().isThrownBy(() -> place(unknown, "t1", List.of(one())));
  }

  @Test
  void theLastPlaceIsGivenAwayOnceHoweverManyAskTogether() throws Exception {
    List<Machine> machines =
        List.of(
            new Machine(view("alice-1", "Alice", 3), true),
            new Machine(view("bob-1", "Bob", 2), true));
    List<Callable<Place>> asks = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String name = "t" + i;
      asks.add(() -> place(reservations, name, machines));
    }

    Set<String> places = new HashSet<>();
    int refused = 0;
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Place> future : executor.invokeAll(asks)) {
        switch (future.get()) {
          case Reserved reserved -> places.add(reserved.vm().ref().name() + reserved.port());
          case None _ -> refused++;
        }
      }
    }

    assertThat(places).hasSize(5);
    assertThat(refused).isEqualTo(35);
  }

  @Test
  void asksForTheSameTeamGetTheSamePlace() {
    List<Machine> machines =
        List.of(
            new Machine(view("alice-1", "Alice", 3), true),
            new Machine(view("bob-1", "Bob", 3), true));

    Place first = place(reservations, "t1", machines);

    assertThat(place(reservations, "t1", machines)).isEqualTo(first);
  }

  @Test
  void aPlaceThatWillNoLongerDoIsChosenAnew() {
    Reserved first =
        (Reserved)
            place(
                reservations,
                "t1",
                List.of(
                    new Machine(view("alice-1", "Alice", 3), true),
                    new Machine(view("bob-1", "Bob", 3), true)));
    assertThat(first.vm().ref().name()).isEqualTo("alice-1");

    Place second =
        place(
            reservations,
            "t1",
            List.of(
                new Machine(view("alice-1", "Alice", 3), false),
                new Machine(view("bob-1", "Bob", 3), true)));

    assertThat(second)
        .isInstanceOfSatisfying(
            Reserved.class, r -> assertThat(r.vm().ref().name()).isEqualTo("bob-1"));
  }

  @Test
  void aTeamDoesNotStandInItsOwnWay() {
    LabTeam team = bound("t1", "alice-1", 20_000);
    reservations.hold(team);

    assertThat(place(reservations, "t1", List.of(one()))).isInstanceOf(Reserved.class);
    assertThat(place(reservations, "t2", List.of(one()))).isInstanceOf(None.class);
  }

  @Test
  void aTeamThatMovesHoldsBothPlacesUntilItIsBound() {
    reservations.hold(bound("t1", "alice-1", 20_000));
    Machine bob = new Machine(view("bob-1", "Bob", 1), true);
    Reserved next = (Reserved) place(reservations, "t1", List.of(bob));

    assertThat(place(reservations, "t2", List.of(one(), bob))).isInstanceOf(None.class);

    reservations.bound(bound("t1", "bob-1", next.port()));
    assertThat(place(reservations, "t2", List.of(one(), bob)))
        .isInstanceOfSatisfying(
            Reserved.class, r -> assertThat(r.vm().ref().name()).isEqualTo("alice-1"));
  }

  @Test
  void aPortThatWasGivenBackRestsForTenMinutes() {
    Reservations four = new Reservations(new PortAllocator.Range(20_000, 20_003), () -> now);
    four.rebuild(List.of());
    List<Machine> roomy = List.of(new Machine(view("alice-1", "Alice", 9), true));
    Reserved first = (Reserved) place(four, "t1", roomy);
    four.bound(bound("t1", "alice-1", first.port()));
    four.release(ref("t1"));
    place(four, "t2", roomy);
    place(four, "t3", roomy);
    place(four, "t4", roomy);

    assertThat(place(four, "t5", roomy)).isInstanceOf(None.class);
    now = now.plus(PortAllocator.WINDOW);
    assertThat(place(four, "t5", roomy))
        .isInstanceOfSatisfying(Reserved.class, r -> assertThat(r.port()).isEqualTo(first.port()));
  }

  @Test
  void rebuildingTakesOverWhatStatusesSay() {
    Reservations next = new Reservations(new PortAllocator.Range(20_000, 29_999), () -> now);
    next.rebuild(List.of(bound("t1", "alice-1", 20_000)));

    assertThat(place(next, "t2", List.of(one()))).isInstanceOf(None.class);
  }

  @Test
  void whatIsReleasedOrGivenUpIsFreeAgain() {
    place(reservations, "t1", List.of(one()));
    assertThat(place(reservations, "t2", List.of(one()))).isInstanceOf(None.class);

    reservations.giveUp(ref("t1"));
    assertThat(place(reservations, "t2", List.of(one()))).isInstanceOf(Reserved.class);

    reservations.release(ref("t2"));
    assertThat(place(reservations, "t3", List.of(one()))).isInstanceOf(Reserved.class);
  }

  @Test
  void teamsThatAreThereNoMoreAreForgotten() {
    reservations.hold(bound("t1", "alice-1", 20_000));

    reservations.keepOnly("lab", List.of("uid-t2"));

    assertThat(place(reservations, "t2", List.of(one()))).isInstanceOf(Reserved.class);
  }

  private Reservations fresh() {
    Reservations fresh = new Reservations(new PortAllocator.Range(20_000, 29_999), () -> now);
    fresh.rebuild(List.of());
    return fresh;
  }

  private static Machine one() {
    return new Machine(view("alice-1", "Alice", 1), true);
  }

  private static Place place(Reservations reservations, String name, List<Machine> machines) {
    return reservations.place(
        ref(name),
        new Placement.Request(
            new Demand(100, 1), null, Spread.CONTRIBUTOR, null, null, null, Set.of()),
        machines);
  }

  private static TeamRef ref(String name) {
    return new TeamRef("lab", name, "uid-" + name);
  }

  private static LabTeam bound(String name, String vm, int port) {
    LabTeam team = team(name);
    team.setStatus(
        team.getStatus().toBuilder()
            .binding(new Binding(vm, "uid-" + vm, 1, null, "10.77.1.2", port, 1, null))
            .build());
    return team;
  }
}
