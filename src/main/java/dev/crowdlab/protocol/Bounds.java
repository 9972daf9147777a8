package dev.crowdlab.protocol;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The bounds of what a message may hold, checked where a message is made, so that neither side can
 * build or accept one that breaks them. No message names the offending value: it may be a secret.
 */
final class Bounds {

  static final int MAX_NAME = 253;
  static final int MAX_LINE = 1_024;
  static final int MAX_KEY = 2_048;
  static final int MAX_ARGUMENT = 32 * 1_024;
  static final int MAX_ARGUMENTS = 256;
  static final int MAX_CONTAINERS = 32;
  static final int MAX_PORTS = 64;
  static final int MAX_SOURCES = 64;
  static final int MAX_TEAMS = 512;
  static final int MAX_PACKAGES = 512;

  private static final Pattern UID = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?");
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/=-]{1,512}");

  private Bounds() {}

  /** A UID: it becomes part of paths and labels on the VM, so its alphabet is fixed. */
  static void uid(@Nullable String value, String what) {
    check(value != null && UID.matcher(value).matches(), what, "must be a UID");
  }

  /** A word that travels in a header. */
  static void token(@Nullable String value, String what) {
    check(value != null && TOKEN.matcher(value).matches(), what, "must be a token");
  }

  static void text(@Nullable String value, int max, String what) {
    check(value != null && !value.isEmpty(), what, "is required");
    optional(value, max, what);
  }

  static void optional(@Nullable String value, int max, String what) {
    check(value == null || value.length() <= max, what, "is longer than " + max);
  }

  static void range(long value, long min, long max, String what) {
    check(value >= min && value <= max, what, "must be in " + min + ".." + max);
  }

  static <T> List<T> list(@Nullable List<T> values, int max, String what) {
    if (values == null) {
      throw new IllegalArgumentException(what + " is required");
    }
    range(values.size(), 0, max, "the length of " + what);
    return List.copyOf(values);
  }

  static List<String> texts(@Nullable List<String> values, int max, int maxText, String what) {
    List<String> copy = list(values, max, what);
    copy.forEach(value -> optional(value, maxText, what));
    return copy;
  }

  static Map<String, String> texts(@Nullable Map<String, String> values, String what) {
    if (values == null) {
      throw new IllegalArgumentException(what + " is required");
    }
    range(values.size(), 0, MAX_ARGUMENTS, "the size of " + what);
    values.forEach(
        (name, value) -> {
          text(name, MAX_NAME, what);
          check(name.indexOf('=') < 0, what, "has a name with =");
          optional(value, MAX_ARGUMENT, what);
        });
    return Map.copyOf(values);
  }

  static void given(@Nullable Object value, String what) {
    check(value != null, what, "is required");
  }

  private static void check(boolean holds, String what, String remedy) {
    if (!holds) {
      throw new IllegalArgumentException(what + " " + remedy);
    }
  }
}
