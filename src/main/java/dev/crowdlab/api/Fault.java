package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import org.jspecify.annotations.Nullable;

/** A time in which the machine, its agent or its disk was at fault. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Fault(
    @JsonPropertyDescription(
            "What was wrong; of a machine that was lost it is known only once it is back.")
        @Required
        FaultCause cause,
    @JsonPropertyDescription("When it was established, RFC 3339 with milliseconds.") @Required
        String at,
    @JsonPropertyDescription(
            "When the agent was heard again, or said that the disk can be written, RFC 3339 with "
                + "milliseconds; absent while it lasts.")
        @Nullable String over) {}
