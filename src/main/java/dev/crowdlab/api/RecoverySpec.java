package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import java.util.Objects;

/** What happens when a team's machine fails. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record RecoverySpec(
    @JsonPropertyDescription(
            "Automatic: the team moves to another machine at once. Manual: it waits for the "
                + "annotation crowdlab.dev/rebind.")
        @Default("Automatic")
        RecoveryPolicy policy) {

  /** What applies when the spec says nothing. */
  public static final RecoverySpec DEFAULT = new RecoverySpec(RecoveryPolicy.AUTOMATIC);

  /** Fills in the API's defaults where they were left out. */
  public RecoverySpec {
    policy = Objects.requireNonNullElse(policy, RecoveryPolicy.AUTOMATIC);
  }
}
