package dev.crowdlab.vm;

import dev.crowdlab.api.AvailabilityWindow;
import dev.crowdlab.api.DayOfWeek;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Optional;

/** Whether a contributor lends a machine at a moment: a pure function of the spec's windows. */
sealed interface Availability {

  /**
   * It is lent; {@code until} is when the last of the open windows ends, empty when there is no
   * window.
   */
  record Lent(Optional<Instant> until) implements Availability {}

  /** It is not lent before {@code from}. */
  record NotLent(Instant from) implements Availability {}

  /** A window names a time zone or a time that does not exist; the machine counts as not lent. */
  record Invalid(String timeZone) implements Availability {}

  /** The state at {@code now}. */
  static Availability at(List<AvailabilityWindow> windows, Instant now) {
    if (windows.isEmpty()) {
      return new Lent(Optional.empty());
    }
    Optional<Instant> until = Optional.empty();
    Optional<Instant> from = Optional.empty();
    for (AvailabilityWindow window : windows) {
      try {
        ZoneId zone = ZoneId.of(window.timeZone());
        LocalDate today = now.atZone(zone).toLocalDate();
        // A window that began yesterday may still be open; the next one begins within a week.
        for (int day = -1; day <= 8; day++) {
          LocalDate date = today.plusDays(day);
          if (!window.days().isEmpty()
              && window.days().stream().noneMatch(name -> isOn(name, date))) {
            continue;
          }
          Instant start = at(date, window.from(), zone);
          LocalDate endDate =
              LocalTime.parse(window.to()).isAfter(LocalTime.parse(window.from()))
                  ? date
                  : date.plusDays(1);
          Instant end = at(endDate, window.to(), zone);
          if (!start.isAfter(now) && now.isBefore(end)) {
            until = until.filter(other -> other.isAfter(end)).or(() -> Optional.of(end));
          } else if (start.isAfter(now)) {
            from = from.filter(other -> other.isBefore(start)).or(() -> Optional.of(start));
          }
        }
      } catch (DateTimeException e) {
        return new Invalid(window.timeZone());
      }
    }
    if (until.isPresent()) {
      return new Lent(until);
    }
    return new NotLent(from.orElse(Instant.MAX));
  }

  private static boolean isOn(DayOfWeek name, LocalDate date) {
    return date.getDayOfWeek().name().startsWith(name.name());
  }

  private static Instant at(LocalDate date, String time, ZoneId zone) {
    return ZonedDateTime.of(date, LocalTime.parse(time), zone).toInstant();
  }
}
