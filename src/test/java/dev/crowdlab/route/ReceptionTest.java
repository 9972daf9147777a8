package dev.crowdlab.route;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.core.TeamRef;
import dev.crowdlab.route.Reception.Decision;
import dev.crowdlab.route.Routes.Why;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReceptionTest {

  private static final TeamRef A = new TeamRef("lab", "a", "uid-a");
  private static final TeamRef B = new TeamRef("lab", "b", "uid-b");
  private static final Endpoint ONE = Endpoint.of("10.77.1.1", 20_001);
  private static final Endpoint TWO = Endpoint.of("10.77.1.2", 20_002);

  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private final InstantSource clock = now::get;
  private final List<String> told = new ArrayList<>();
  private Reception reception;

  @BeforeEach
  void openIt() {
    WaitingRoomSettings settings =
        new WaitingRoomSettings(
            new InetSocketAddress(0), Duration.ofSeconds(5), Duration.ofMinutes(1), 4, 2);
    reception = new Reception(settings, clock, Duration.ZERO);
  }

  @ParameterizedTest
  @CsvSource({
    "h, /,        a",
    "h, /x,       b",
    "h, /x/,      b",
    "h, /x/y/z,   b",
    "h, /xy,      a",
    "H, /x,       b",
  })
  void theLongestPrefixOfTheHostWins(String host, String path, String team) {
    reception.ready(A, "h", "/", ONE);
    reception.ready(B, "H", "/x/", TWO);

    assertThat(admit(host, path))
        .isInstanceOfSatisfying(
            Decision.Proceed.class,
            proceed -> assertThat(proceed.exercise()).isEqualTo(team.equals("a") ? ONE : TWO));
  }

  @Test
  void allWhoWaitProceedWhenTheTeamIsReadyAndKeepTheirSeatsUntilTheyLeave() {
    reception.waiting(A, "h", "/", Why.RECOVERING);
    Decision.Wait first = (Decision.Wait) admit("h", "/");
    admit("h", "/");
    assertThat(reception.waiting()).isEqualTo(2);

    reception.ready(A, "h", "/", ONE);

    assertThat(told).containsExactly("proceed " + ONE, "proceed " + ONE);
    assertThat(reception.waiting()).isZero();
    assertThat(reception.seats()).isEqualTo(2);
    reception.leave(first.visit());
    assertThat(reception.seats()).isEqualTo(1);
  }

  @Test
  void aRepeatedCallTellsNobodyTwice() {
    reception.waiting(A, "h", "/", Why.RECOVERING);
    admit("h", "/");

    reception.ready(A, "h", "/", ONE);
    reception.ready(A, "h", "/", ONE);

    assertThat(told).hasSize(1);
  }

  @Test
  void aHoldThatIsOverAfterTheTeamIsReadyIsNotOver() {
    reception.waiting(A, "h", "/", Why.RECOVERING);
    Decision.Wait wait = (Decision.Wait) admit("h", "/");
    reception.ready(A, "h", "/", ONE);

    assertThat(reception.giveUp(wait.visit())).isEmpty();
  }

  @Test
  void aHoldThatIsOverFreesTheSeatAndSaysWhatTheTeamWaitsForNow() {
    reception.waiting(A, "h", "/", Why.CREATING);
    Decision.Wait wait = (Decision.Wait) admit("h", "/");
    reception.waiting(A, "h", "/", Why.RECOVERING);

    assertThat(reception.giveUp(wait.visit())).contains(Notice.RECOVERING);
    assertThat(reception.seats()).isZero();
    reception.ready(A, "h", "/", ONE);
    assertThat(told).isEmpty();
  }

  @Test
  void aTeamThatMovesToAnotherHostLeavesTheOldOne() {
    reception.waiting(A, "old", "/", Why.RECOVERING);
    admit("old", "/");

    reception.waiting(A, "new", "/", Why.RECOVERING);

    assertThat(told).containsExactly("away UNKNOWN");
    assertThat(admit("old", "/")).isEqualTo(new Decision.TurnAway(Notice.UNKNOWN));
    assertThat(admit("new", "/")).isInstanceOf(Decision.Wait.class);
    assertThat(reception.seats()).isEqualTo(1);
  }

  @Test
  void aNewTargetBeginsANewMinute() {
    reception.ready(A, "h", "/", ONE);
    now.set(now.get().plusSeconds(61));
    reception.ready(A, "h", "/", ONE);
    assertThat(admit("h", "/")).isEqualTo(new Decision.TurnAway(Notice.MOVED));

    reception.ready(A, "h", "/", TWO);

    assertThat(admit("h", "/")).isInstanceOf(Decision.Proceed.class);
  }

  @Test
  void boundsHoldForATeamAndForAllAndCountThoseWhoAreBeingServed() {
    reception.ready(A, "h", "/", ONE);
    admit("h", "/");
    admit("h", "/");
    assertThat(admit("h", "/")).isEqualTo(new Decision.TurnAway(Notice.FULL));

    reception.waiting(B, "i", "/", Why.CREATING);
    Decision.Wait wait = (Decision.Wait) admit("i", "/");
    admit("i", "/");
    reception.waiting(new TeamRef("lab", "c", "uid-c"), "j", "/", Why.CREATING);
    assertThat(admit("j", "/")).isEqualTo(new Decision.TurnAway(Notice.FULL));

    reception.giveUp(wait.visit());
    assertThat(admit("j", "/")).isInstanceOf(Decision.Wait.class);
  }

  @Test
  void aForgottenTeamIsUnknown() {
    reception.waiting(A, "h", "/", Why.RECOVERING);
    reception.waiting(B, "h", "/x", Why.RECOVERING);

    reception.gone(A);
    reception.gone(A);

    assertThat(admit("h", "/")).isEqualTo(new Decision.TurnAway(Notice.UNKNOWN));
    assertThat(admit("h", "/x")).isInstanceOf(Decision.Wait.class);
  }

  private Decision admit(String host, String path) {
    return reception.admit(
        host,
        path,
        true,
        new Reception.Guest() {
          @Override
          public void proceed(Reception.Visit visit, Endpoint exercise) {
            told.add("proceed " + exercise);
          }

          @Override
          public void turnAway(Notice notice) {
            told.add("away " + notice);
          }
        });
  }
}
