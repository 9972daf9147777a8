package dev.crowdlab.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.AvailabilityWindow;
import dev.crowdlab.api.DayOfWeek;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AvailabilityTest {

  @Test
  void withoutWindowsAMachineIsAlwaysLent() {
    assertThat(Availability.at(List.of(), Instant.EPOCH))
        .isEqualTo(new Availability.Lent(Optional.empty()));
  }

  @ParameterizedTest
  @CsvSource({
    // 2026-06-01 is a Monday; Berlin is two hours ahead of UTC in summer.
    "2026-06-01T05:59:59Z, false, 2026-06-01T06:00:00Z",
    "2026-06-01T06:00:00Z, true, 2026-06-01T16:00:00Z",
    "2026-06-01T15:59:59Z, true, 2026-06-01T16:00:00Z",
    "2026-06-01T16:00:00Z, false, 2026-06-02T06:00:00Z",
  })
  void aDailyWindowOpensAndClosesInItsTimeZone(String now, boolean lent, String boundary) {
    Availability state =
        Availability.at(
            List.of(new AvailabilityWindow(List.of(), "08:00", "18:00", "Europe/Berlin")),
            Instant.parse(now));

    assertThat(state).isEqualTo(lent ? until(boundary) : from(boundary));
  }

  @ParameterizedTest
  @CsvSource({
    "2026-06-05T21:00:00Z, false, 2026-06-05T22:00:00Z",
    "2026-06-05T23:00:00Z, true, 2026-06-06T06:00:00Z",
    "2026-06-06T05:00:00Z, true, 2026-06-06T06:00:00Z",
    "2026-06-06T07:00:00Z, false, 2026-06-12T22:00:00Z",
  })
  void aWindowOverMidnightBelongsToTheDayItStarts(String now, boolean lent, String boundary) {
    Availability state =
        Availability.at(
            List.of(new AvailabilityWindow(List.of(DayOfWeek.FRI), "22:00", "06:00", "UTC")),
            Instant.parse(now));

    assertThat(state).isEqualTo(lent ? until(boundary) : from(boundary));
  }

  @Test
  void theLongestOpenWindowCounts() {
    Availability state =
        Availability.at(
            List.of(
                new AvailabilityWindow(List.of(), "08:00", "12:00", "UTC"),
                new AvailabilityWindow(List.of(), "09:00", "17:00", "UTC")),
            Instant.parse("2026-06-01T10:00:00Z"));

    assertThat(state).isEqualTo(until("2026-06-01T17:00:00Z"));
  }

  @Test
  void anUnknownTimeZoneIsNamed() {
    Availability state =
        Availability.at(
            List.of(new AvailabilityWindow(List.of(), "08:00", "12:00", "Europe/Nowhere")),
            Instant.EPOCH);

    assertThat(state).isEqualTo(new Availability.Invalid("Europe/Nowhere"));
  }

  private static Availability until(String instant) {
    return new Availability.Lent(Optional.of(Instant.parse(instant)));
  }

  private static Availability from(String instant) {
    return new Availability.NotLent(Instant.parse(instant));
  }
}
