package dev.crowdlab.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A POSIX shell script of ours. It travels on standard input, behind it its arguments, one {@code
 * name=value} a line and a line with a dot, and behind them whatever else it reads: so nothing of
 * it appears in the machine's list of processes, and no value is ever read by a shell.
 */
public final class Script {

  /**
   * Reads exactly the script's bytes, so that the rest of standard input is the script's own.
   * {@code sh -s} would read ahead.
   */
  private static final String BOOTSTRAP =
      "eval \"$(dd bs=\"$1\" count=1 iflag=fullblock 2>/dev/null)\"";

  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]*");

  private final String name;
  private final byte[] text;

  private Script(String name, byte[] text) {
    this.name = name;
    this.text = text;
  }

  /**
   * Loads a resource that stands beside a class.
   *
   * @throws IllegalArgumentException when there is none
   */
  public static Script resource(Class<?> beside, String name) {
    try (InputStream in = beside.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalArgumentException(beside.getPackageName() + " has no script " + name);
      }
      return new Script(name, in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A script from several texts, read as one; for what scripts share. */
  public static Script of(String name, String... texts) {
    return new Script(name, String.join("\n", texts).getBytes(UTF_8));
  }

  /** A text of any form as a value that fits on one line; the script decodes it with base64 -d. */
  public static String base64(String value) {
    return Base64.getEncoder().encodeToString(value.getBytes(UTF_8));
  }

  /** For log lines. */
  public String name() {
    return name;
  }

  public String text() {
    return new String(text, UTF_8);
  }

  List<String> words() {
    return List.of("sh", "-c", BOOTSTRAP, name, Integer.toString(text.length));
  }

  /** What goes to standard input: the script, its arguments, the payload. */
  Payload input(Map<String, String> arguments, Payload payload) {
    byte[] lines =
        arguments.entrySet().stream()
            .map(Script::line)
            .collect(Collectors.joining("", "", ".\n"))
            .getBytes(UTF_8);
    return () ->
        new SequenceInputStream(
            Collections.enumeration(
                List.of(Payload.of(text).open(), Payload.of(lines).open(), payload.open())));
  }

  private static String line(Map.Entry<String, String> argument) {
    String value = argument.getValue();
    if (!NAME.matcher(argument.getKey()).matches()) {
      throw new IllegalArgumentException("an argument's name must match " + NAME);
    }
    if (value.chars().anyMatch(c -> c == '\n' || c == '\0')) {
      throw new IllegalArgumentException(
          "the value of " + argument.getKey() + " contains a line break or a NUL");
    }
    return argument.getKey() + "=" + value + "\n";
  }
}
