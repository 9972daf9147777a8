package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import org.jspecify.annotations.Nullable;

/** What a machine's contributor asked for on the machine itself. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Voice(
    @JsonPropertyDescription(
            "Pause: nothing new comes and teams move away until it is resumed. Leave: the same, "
                + "then everything of ours is removed. Stop: the agent or the machine was stopped "
                + "in order, and nobody starts it again but its owner.")
        @Required
        Wish wish,
    @JsonPropertyDescription("When it was heard, RFC 3339 with milliseconds.")
        @Nullable String since,
    @JsonPropertyDescription(
            "When everything of ours was gone from the machine, RFC 3339 with milliseconds; "
                + "absent while it is not.")
        @Nullable String left,
    @JsonPropertyDescription(
            "What the annotation crowdlab.dev/rejoin must carry to take a machine that left in "
                + "again.")
        @Nullable String id) {

  /** What is asked for. */
  public Voice(Wish wish, @Nullable String since) {
    this(wish, since, null, null);
  }

  /** Whether the machine is its contributor's again, with nothing of ours on it. */
  public boolean hasLeft() {
    return left != null;
  }
}
