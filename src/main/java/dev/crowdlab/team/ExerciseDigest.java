package dev.crowdlab.team;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.crowdlab.api.Exercise;
import dev.crowdlab.api.LabTeamSpec;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * A digest of what of a spec can only change by starting the exercise anew: containers, egress, and
 * the port that students reach. It is the same in every process, whatever the order of a map.
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
    try {
      byte[] json = MAPPER.writeValueAsBytes(List.of(counted, spec.access().port()));
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(json));
    } catch (JsonProcessingException | NoSuchAlgorithmException e) {
      throw new AssertionError("a spec that was read can be written", e);
    }
  }
}
