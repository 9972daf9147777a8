package dev.crowdlab.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crowdlab.api.DocumentedStates.Expected;
import dev.crowdlab.api.DocumentedStates.Stage;
import dev.crowdlab.api.DocumentedStates.State;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.luaj.vm2.Globals;
import org.luaj.vm2.LuaTable;
import org.luaj.vm2.LuaValue;
import org.luaj.vm2.lib.jse.JsePlatform;

/** Holds {@code docs/states.md} to the words of the API and to what other tools compute. */
class DocumentedStatesTest {
  private static final Set<String> TYPES =
      Set.of(
          ConditionType.READY,
          ConditionType.RECONCILING,
          ConditionType.STALLED,
          ConditionType.REACHABLE,
          ConditionType.VERIFIED,
          ConditionType.CONFIGURED,
          ConditionType.AGENT_CONNECTED,
          ConditionType.QUARANTINED,
          ConditionType.DRAINED,
          ConditionType.PLACED,
          ConditionType.WORKSPACE_ATTACHED,
          ConditionType.EXERCISE_RUNNING,
          ConditionType.ROUTED);

  static Stream<State> states() {
    return Stream.of("ContributedVM", "LabTeam")
        .flatMap(kind -> DocumentedStates.of(kind).stream());
  }

  @ParameterizedTest
  @MethodSource("states")
  void aStateIsMadeOfTheApisWords(State state) {
    Set<String> reasons =
        Arrays.stream(Reason.values()).map(Reason::value).collect(Collectors.toSet());

    assertThat(state.conditions())
        .allSatisfy(
            condition -> {
              assertThat(TYPES).contains(condition.type());
              assertThat(condition.status()).isIn("True", "False", "Unknown");
              assertThat(reasons).contains(condition.reason());
            });
    Class<? extends Enum<?>> phases =
        state.kind().equals("LabTeam") ? TeamPhase.class : VmPhase.class;
    if (state.phase().isPresent()) {
      assertThat(phases.getEnumConstants())
          .extracting(DocumentedStatesTest::word)
          .contains(state.phase().get());
    }
  }

  @ParameterizedTest
  @MethodSource("states")
  void aStateIsNeverBothReconcilingAndStalled(State state) {
    assertThat(state.conditions())
        .filteredOn(
            c ->
                c.type().equals(ConditionType.RECONCILING)
                    || c.type().equals(ConditionType.STALLED))
        .hasSizeLessThanOrEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource("states")
  void kstatusComputesWhatTheTableSays(State state) {
    assertThat(kstatus(document(state))).isEqualTo(state.kstatus());
  }

  @ParameterizedTest
  @MethodSource("states")
  void argoCdComputesWhatTheTableSays(State state) throws IOException {
    assertThat(argo(document(state))).isEqualTo(state.argo());
  }

  @Test
  void namesOfStatesAreUnique() {
    for (String kind : List.of("ContributedVM", "LabTeam")) {
      assertThat(DocumentedStates.of(kind)).extracting(State::name).doesNotHaveDuplicates();
    }
  }

  /** The word of an enum constant in the API. */
  private static String word(Enum<?> constant) {
    return Serialization.jsonMapper().convertValue(constant, String.class);
  }

  /** An object in the state, as the API server would show it. */
  private static ObjectNode document(State state) {
    ObjectNode document = Documents.parse("kind: " + state.kind());
    ObjectNode metadata = document.putObject("metadata").put("generation", 2);
    ObjectNode status = document.putObject("status");
    status.put(
        "observedGeneration",
        switch (state.stage()) {
          case NEW -> -1;
          case EDITED -> 1;
          case CURRENT, DELETED -> 2;
        });
    if (state.stage() == Stage.DELETED) {
      metadata.put("deletionTimestamp", "2026-01-01T00:00:00Z");
    }
    if (!state.conditions().isEmpty()) {
      ArrayNode conditions = status.putArray("conditions");
      for (Expected expected : state.conditions()) {
        conditions
            .addObject()
            .put("type", expected.type())
            .put("status", expected.status())
            .put("reason", expected.reason())
            .put("message", "");
      }
    }
    return document;
  }

  /**
   * The rules of kstatus for custom resources, as published in kubernetes-sigs/cli-utils:
   * pkg/kstatus/status/generic.go (deletion, generation, Reconciling and Stalled in the order in
   * which they stand) and core.go (Ready; nothing known counts as Current).
   */
  private static String kstatus(JsonNode document) {
    if (document.at("/metadata").has("deletionTimestamp")) {
      return "Terminating";
    }
    JsonNode observed = document.at("/status/observedGeneration");
    if (!observed.isMissingNode()
        && observed.asLong() != document.at("/metadata/generation").asLong()) {
      return "InProgress";
    }
    for (JsonNode condition : document.at("/status/conditions")) {
      boolean holds = condition.get("status").asText().equals("True");
      if (holds && condition.get("type").asText().equals("Reconciling")) {
        return "InProgress";
      }
      if (holds && condition.get("type").asText().equals("Stalled")) {
        return "Failed";
      }
    }
    for (JsonNode condition : document.at("/status/conditions")) {
      if (condition.get("type").asText().equals("Ready")) {
        return condition.get("status").asText().equals("True") ? "Current" : "InProgress";
      }
    }
    return "Current";
  }

  /**
   * Runs the script that the docs offer, as Argo CD would: the object is its global {@code obj}.
   */
  private static String argo(JsonNode document) throws IOException {
    Globals globals = JsePlatform.standardGlobals();
    globals.set("obj", lua(document));
    String script = Files.readString(Path.of("docs", "argocd-health.lua"));
    return globals.load(new StringReader(script), "health").call().get("status").tojstring();
  }

  private static LuaValue lua(JsonNode node) {
    if (node.isNumber()) {
      return LuaValue.valueOf(node.asDouble());
    }
    if (node.isTextual()) {
      return LuaValue.valueOf(node.asText());
    }
    LuaTable table = new LuaTable();
    if (node.isArray()) {
      for (JsonNode item : node) {
        table.set(table.length() + 1, lua(item));
      }
    } else {
      node.properties().forEach(entry -> table.set(entry.getKey(), lua(entry.getValue())));
    }
    return table;
  }
}
