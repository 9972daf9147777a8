package dev.crowdlab.storage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** What the root script reads from standard input: a verb and its arguments, one a line. */
final class ScriptCall {

  private static final Pattern NAME = Pattern.compile("[a-z-]{1,20}");
  private static final Pattern VALUE = Pattern.compile("[ -~]*");

  private final Map<String, String> lines = new LinkedHashMap<>();

  ScriptCall(String verb) {
    with("verb", verb);
  }

  ScriptCall with(String name, Object value) {
    String text = value.toString();
    if (!NAME.matcher(name).matches() || !VALUE.matcher(text).matches()) {
      throw new IllegalArgumentException(name + " is not printable ASCII");
    }
    lines.put(name, text);
    return this;
  }

  byte[] bytes() {
    StringBuilder text = new StringBuilder();
    lines.forEach((name, value) -> text.append(name).append('=').append(value).append('\n'));
    return text.append("end\n").toString().getBytes(US_ASCII);
  }
}
