package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a team moved to another machine, or was restarted under a new epoch. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Recovery(
    @JsonPropertyDescription("Why the team moved or was restarted.") @Required RecoveryCause cause,
    @JsonPropertyDescription("The ContributedVM it left; absent when it had none.")
        @Nullable String from,
    @JsonPropertyDescription("The ContributedVM it went to; absent until one was chosen.")
        @Nullable String to,
    @JsonPropertyDescription("The new binding's epoch; absent until one was chosen.")
        @Nullable Long epoch,
    @JsonPropertyDescription(
            "The last sign of life of the machine it left, RFC 3339 with milliseconds; the "
                + "duration counts from here.")
        @Nullable String lastSeenAlive,
    @JsonPropertyDescription(
            "When the fault was established, RFC 3339 with milliseconds; the duration "
                + "counts from here when nothing was lost.")
        @Nullable String detectedAt,
    @JsonPropertyDescription("When each step was done.") List<StepTime> steps,
    @JsonPropertyDescription("Until Ready again, e.g. 1.234s; absent while it lasts.")
        @Nullable String duration) {

  /** Copies the steps. */
  public Recovery {
    steps = Lists.copyOrEmpty(steps);
  }
}
