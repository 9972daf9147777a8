package dev.crowdlab.route;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.crowdlab.core.TeamRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WriteMemoryTest {

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final TeamRef TEAM = new TeamRef("lab", "team-7", "uid-7");
  private static final WriteMemory.Key KEY = new WriteMemory.Key("Service", "lab", "lab-team-7");

  private final WriteMemory memory = new WriteMemory();
  private final JsonNode wanted = json("{'spec':{'ports':[{'port':80}]}}");
  private final JsonNode grown =
      json("{'metadata':{'uid':'1'},'spec':{'ports':[{'port':80,'nodePort':1}],'x':2}}");
  private final JsonNode changed = json("{'spec':{'ports':[{'port':81}]}}");

  @Test
  void nothingIsKnownOfWhatWasNeverWritten() {
    assertThat(memory.standsAs(KEY, wanted)).isFalse();
    assertThat(memory.standsAs(KEY, null)).isFalse();
    assertThat(memory.observe(KEY, changed)).isEmpty();
  }

  @Test
  void aSettledWriteStandsUntilSomethingElseIsWanted() {
    memory.settle(KEY, memory.begin(KEY, TEAM, wanted));

    assertThat(memory.standsAs(KEY, wanted)).isTrue();
    assertThat(memory.standsAs(KEY, changed)).isFalse();
    assertThat(memory.standsAs(KEY, null)).isFalse();
  }

  @Test
  void aWriteThatFailedIsInDoubt() {
    memory.begin(KEY, TEAM, wanted);

    assertThat(memory.standsAs(KEY, wanted)).isFalse();
  }

  @Test
  void whatOthersAddIsNoDrift() {
    memory.settle(KEY, memory.begin(KEY, TEAM, wanted));

    assertThat(memory.observe(KEY, grown)).isEmpty();
    assertThat(memory.standsAs(KEY, wanted)).isTrue();
  }

  @Test
  void aChangedFieldWakesTheTeamAndIsWrittenAgain() {
    memory.settle(KEY, memory.begin(KEY, TEAM, wanted));

    assertThat(memory.observe(KEY, changed)).contains(TEAM);
    assertThat(memory.standsAs(KEY, wanted)).isFalse();
  }

  @Test
  void aDeletedObjectWakesTheTeam() {
    memory.settle(KEY, memory.begin(KEY, TEAM, wanted));

    assertThat(memory.observe(KEY, null)).contains(TEAM);
    assertThat(memory.standsAs(KEY, wanted)).isFalse();
  }

  @Test
  void anObjectThatShallBeAbsentAndIsThereWakesTheTeam() {
    memory.settle(KEY, memory.begin(KEY, TEAM, null));

    assertThat(memory.standsAs(KEY, null)).isTrue();
    assertThat(memory.observe(KEY, null)).isEmpty();
    assertThat(memory.observe(KEY, wanted)).contains(TEAM);
    assertThat(memory.standsAs(KEY, null)).isFalse();
  }

  @Test
  void driftSeenDuringAWriteIsNotForgottenWhenTheWriteIsDone() {
    WriteMemory.Write write = memory.begin(KEY, TEAM, wanted);
    memory.observe(KEY, changed);
    memory.settle(KEY, write);

    assertThat(memory.standsAs(KEY, wanted)).isFalse();
  }

  @Test
  void aForgottenTeamIsNotWokenAnyMore() {
    memory.settle(KEY, memory.begin(KEY, TEAM, wanted));
    memory.forget(TEAM);

    assertThat(memory.observe(KEY, null)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'a':1}       | {'a':1}            | true",
        "{'a':1}       | {'a':1,'b':2}      | true",
        "{'a':1}       | {'b':1}            | false",
        "{'a':{'b':1}} | {'a':{'b':1,'c':1}}| true",
        "{'a':{'b':1}} | {'a':{'b':2}}      | false",
        "{'a':[1]}     | {'a':[1,2]}        | false",
        "{'a':[1,2]}   | {'a':[2,1]}        | false",
        "{'a':[{'b':1}]} | {'a':[{'b':1,'c':2}]} | true",
      },
      quoteCharacter = '"')
  void ourFieldsAreHeldWhenTheyAreThereAsWeWroteThem(String ours, String actual, boolean holds) {
    assertThat(WriteMemory.holds(json(actual), json(ours))).isEqualTo(holds);
  }

  private static JsonNode json(String text) {
    try {
      return MAPPER.readTree(text.replace('\'', '"'));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(text, e);
    }
  }
}
