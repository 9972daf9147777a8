package dev.crowdlab.ssh;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShellTest {

  /** Every run tries the same words, so that a failure can be looked at. */
  private static final long SEED = 20_191_119;

  private static final String SPECIAL =
      " \t\n\r'\"\\$`!#&|;<>()[]{}*?~^%=-+@:,./\u0001\u007fäß€😀\u2028";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "'",
        "''",
        "it's",
        "$(reboot)",
        "`reboot`",
        "a b",
        "-n",
        "a\nb",
        "\n",
        "\\",
        "a\\'b",
        "~root",
        "*",
        "!!",
        "=ls",
        "x=y",
        "{a,b}"
      })
  void aWordComesBackAsItWas(String word) throws Exception {
    assertThat(readBack(List.of(word))).containsExactly(word);
  }

  @Test
  void anyWordsComeBackAsTheyWere() throws Exception {
    Random random = new Random(SEED);
    for (int round = 0; round < 20; round++) {
      List<String> words = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        words.add(word(random));
      }
      assertThat(readBack(words)).containsExactlyElementsOf(words);
    }
  }

  @Test
  void aNulIsRefused() {
    assertThatThrownBy(() -> Shell.quote("a\0b")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void noWordsAreNoCommand() {
    assertThatThrownBy(() -> Shell.line(List.of())).isInstanceOf(IllegalArgumentException.class);
  }

  private static String word(Random random) {
    StringBuilder word = new StringBuilder();
    int length = random.nextInt(12);
    for (int i = 0; i < length; i++) {
      if (random.nextInt(4) == 0) {
        // Any code point but NUL and the surrogates, which no UTF-8 text has.
        int c = 1 + random.nextInt(0x2FFFF);
        word.appendCodePoint(c >= 0xD800 && c < 0xE000 ? 'x' : c);
      } else {
        int[] specials = SPECIAL.codePoints().toArray();
        word.appendCodePoint(specials[random.nextInt(specials.length)]);
      }
    }
    return word.toString();
  }

  /** What a real shell makes of the quoted words. */
  private static List<String> readBack(List<String> words)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("printf", "%s\\0"));
    command.addAll(words);
    Process process = new ProcessBuilder("/bin/sh", "-s").redirectErrorStream(true).start();
    try (var out = process.getOutputStream()) {
      out.write(Shell.line(command).getBytes(UTF_8));
      out.write('\n');
    }
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    List<String> result = new ArrayList<>(List.of(output.split("\0", -1)));
    result.removeLast();
    return result;
  }
}
