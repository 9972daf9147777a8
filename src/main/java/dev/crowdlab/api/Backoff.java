package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import org.jspecify.annotations.Nullable;

/** When a failed step is tried again; kept in status so that a restart does not forget it. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Backoff(
    @JsonPropertyDescription("Failed attempts in a row.") @Min(0) int attempts,
    @JsonPropertyDescription("When the next attempt starts, RFC 3339 with milliseconds.")
        @Nullable String nextAttempt,
    @JsonPropertyDescription(
            "The spec generation these attempts belong to; another generation is tried at "
                + "once.")
        long generation) {}
