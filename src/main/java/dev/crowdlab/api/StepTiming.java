package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import org.jspecify.annotations.Nullable;

/** How long a step took when it was last carried out. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record StepTiming(
    @JsonPropertyDescription("The step that was timed.") @Required VmStep step,
    @JsonPropertyDescription("When it started, RFC 3339 with milliseconds.")
        @Nullable String startedAt,
    @JsonPropertyDescription("How long it took, e.g. 1.234s; absent while it runs.")
        @Nullable String duration) {}
