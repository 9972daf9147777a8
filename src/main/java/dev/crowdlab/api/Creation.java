package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a team was created. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Creation(
    @JsonPropertyDescription("When the operator first saw the team, RFC 3339 with milliseconds.")
        @Nullable String firstSeen,
    @JsonPropertyDescription("From first seen to Ready, e.g. 1.234s; absent until then.")
        @Nullable String duration,
    @JsonPropertyDescription("When each step was done.") List<StepTime> steps) {

  /** Copies the steps. */
  public Creation {
    steps = Lists.copyOrEmpty(steps);
  }
}
