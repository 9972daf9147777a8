package dev.crowdlab.storage;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the root script answered. */
sealed interface ScriptAnswer {

  /** The verb's effect is there. */
  record Done(Map<String, String> values) implements ScriptAnswer {

    /**
     * @throws IllegalArgumentException when the script did not say it
     */
    String value(String name) {
      String value = values.get(name);
      if (value == null) {
        throw new IllegalArgumentException("the answer has no " + name);
      }
      return value;
    }

    /**
     * @throws IllegalArgumentException when the script did not say it, or no number
     */
    long number(String name) {
      return Long.parseLong(value(name));
    }
  }

  /**
   * It is not there.
   *
   * @param code a word of the script's
   * @param text a sentence for a person
   */
  record NotDone(String code, String text) implements ScriptAnswer {}

  /**
   * Reads an answer; empty when it is none or cut short.
   *
   * <p>A name may stand several times; the last one counts, as no verb that is called from here
   * needs more.
   */
  static Optional<ScriptAnswer> parse(String output) {
    List<String> lines = output.lines().toList();
    if (lines.size() < 2 || !lines.getLast().equals("end")) {
      return Optional.empty();
    }
    Map<String, String> values = new HashMap<>();
    for (String line : lines.subList(0, lines.size() - 1)) {
      int equals = line.indexOf('=');
      if (equals < 1) {
        return Optional.empty();
      }
      values.put(line.substring(0, equals), line.substring(equals + 1));
    }
    return switch (values.getOrDefault("result", "")) {
      case "done" -> Optional.of(new Done(Map.copyOf(values)));
      case "refused", "failed" ->
          Optional.of(
              new NotDone(values.getOrDefault("code", ""), values.getOrDefault("text", "")));
      default -> Optional.empty();
    };
  }
}
