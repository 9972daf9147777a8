package dev.crowdlab.team;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.crowdlab.api.Exercise;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.WorkspaceSpec;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A digest of what of a spec can only change by starting the exercise anew: containers, egress, the
 * port that students reach, and how the workspace is written to. It is the same in every process,
 * whatever the order of a map.
 */
final class ExerciseDigest {

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .enable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
          .build();

  private ExerciseDigest() {}

  static String of(LabTeamSpec spec) {
    Exercise exercise = spec.exercise();
    Exercise counted = new Exercise(exercise.containers(), exercise.egress(), null);
    List<Object> all = new ArrayList<>(List.of(counted, spec.access().port()));
    if (spec.workspace().writes() != WorkspaceSpec.DEFAULT.writes()) {
      // Only then: teams of before this could be chosen have digests without it.
      all.add(spec.workspace().writes());
    }
    try {
      byte[] json = MAPPER.writeValueAsBytes(all);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(json));
    } catch (JsonProcessingException | NoSuchAlgorithmException e) {
      throw new AssertionError("a spec that was read can be written", e);
    }
  }
}
