package dev.crowdlab.core;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The forms in which times and durations stand in specs, status and configuration. */
public final class Times {

  private static final Pattern DURATION =
      Pattern.compile("(?:(\\d{1,5})d)?(?:(\\d{1,6})h)?(?:(\\d{1,7})m)?(?:(\\d{1,9})s)?");
  private static final Pattern MILLISECONDS = Pattern.compile("(\\d{1,9})ms");

  /** RFC 3339 in UTC with exactly three digits of a second, so that texts sort as times do. */
  private static final DateTimeFormatter TIMESTAMP =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private Times() {}

  /**
   * Reads a duration of whole units, the largest first: {@code 14d}, {@code 1h30m}, {@code 5s},
   * {@code 250ms}.
   *
   * @throws IllegalArgumentException when {@code text} is none; the message shows the form
   */
  public static Duration parseDuration(String text) {
    Matcher milliseconds = MILLISECONDS.matcher(text);
    if (milliseconds.matches()) {
      return Duration.ofMillis(Long.parseLong(milliseconds.group(1)));
    }
    Matcher matcher = DURATION.matcher(text);
    if (text.isEmpty() || !matcher.matches()) {
      throw new IllegalArgumentException(
          "not a duration: '" + text + "'; write e.g. 14d, 36h, 1h30m, 5s or 250ms");
    }
    return Duration.ofDays(number(matcher.group(1)))
        .plusHours(number(matcher.group(2)))
        .plusMinutes(number(matcher.group(3)))
        .plusSeconds(number(matcher.group(4)));
  }

  /**
   * A duration in seconds with milliseconds, e.g. {@code 1.234s}; a negative one counts as zero.
   */
  public static String formatDuration(Duration duration) {
    long millis = Math.max(0, duration.toMillis());
    return String.format(Locale.ROOT, "%d.%03ds", millis / 1000, millis % 1000);
  }

  /** Reads what {@link #formatDuration} wrote. */
  public static Duration parseSeconds(String text) {
    return Duration.ofMillis(
        new BigDecimal(text.substring(0, text.length() - 1)).movePointRight(3).longValueExact());
  }

  /** RFC 3339 with milliseconds. */
  public static String format(Instant instant) {
    return TIMESTAMP.format(instant);
  }

  /**
   * Reads what {@link #format} wrote, or any other RFC 3339 time.
   *
   * @throws java.time.format.DateTimeParseException when it is none
   */
  public static Instant parse(String timestamp) {
    return Instant.parse(timestamp);
  }

  private static long number(@Nullable String digits) {
    return digits == null ? 0 : Long.parseLong(digits);
  }
}
