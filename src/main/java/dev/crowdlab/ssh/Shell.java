package dev.crowdlab.ssh;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The one place where words become a line for a remote shell. */
final class Shell {

  /** What no shell gives a meaning to, wherever it stands after the first word. */
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_@%+:,./-]+");

  private Shell() {}

  /**
   * The word as a POSIX shell reads it back, byte for byte.
   *
   * @throws IllegalArgumentException for a NUL, which no argument can carry
   */
  static String quote(String word) {
    if (word.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("an argument cannot contain a NUL");
    }
    if (PLAIN.matcher(word).matches()) {
      return word;
    }
    return "'" + word.replace("'", "'\\''") + "'";
  }

  /** The words as one line. */
  static String line(List<String> words) {
    if (words.isEmpty()) {
      throw new IllegalArgumentException("a command has at least one word");
    }
    return words.stream().map(Shell::quote).collect(Collectors.joining(" "));
  }
}
