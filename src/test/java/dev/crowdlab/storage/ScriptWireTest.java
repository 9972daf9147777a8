package dev.crowdlab.storage;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crowdlab.storage.ScriptAnswer.Done;
import dev.crowdlab.storage.ScriptAnswer.NotDone;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ScriptWireTest {

  @Test
  void a_call_is_lines_of_names_and_values_with_an_end() {
    byte[] call = new ScriptCall("highest").with("id", "abcdef-abcdefghijklmnop").bytes();

    assertThat(new String(call, US_ASCII))
        .isEqualTo("verb=highest\nid=abcdef-abcdefghijklmnop\nend\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\nverb=retire", "a\0", "ä", "a\r"})
  void a_value_that_could_be_more_than_one_line_is_refused(String value) {
    assertThatThrownBy(() -> new ScriptCall("highest").with("id", value))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void an_answer_says_what_is_done() {
    assertThat(ScriptAnswer.parse("result=done\nepoch=3\nhost-key=ssh-rsa AA==\nend\n"))
        .contains(new Done(Map.of("result", "done", "epoch", "3", "host-key", "ssh-rsa AA==")));
  }

  @Test
  void an_answer_says_why_it_is_not_done() {
    assertThat(ScriptAnswer.parse("result=refused\ncode=stale-epoch\ntext=too low\nend\n"))
        .contains(new NotDone("stale-epoch", "too low"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "end\n",
        "result=done\n",
        "result=done\nepoch=3",
        "result=perhaps\nend\n",
        "epoch=3\nend\n",
        "Welcome to this machine\nresult=done\nend\n",
        "=done\nend\n",
      })
  void what_is_cut_short_or_no_answer_is_none(String output) {
    assertThat(ScriptAnswer.parse(output)).isEmpty();
  }

  @Test
  void a_value_that_is_missing_or_no_number_is_an_error() {
    Done answer = new Done(Map.of("highest", "many"));

    assertThatThrownBy(() -> answer.value("epoch")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> answer.number("highest")).isInstanceOf(IllegalArgumentException.class);
  }
}
