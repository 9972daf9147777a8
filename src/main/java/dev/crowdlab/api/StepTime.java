package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;

/** When a step was done. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record StepTime(
    @JsonPropertyDescription("The step that was done.") @Required TeamStep name,
    @JsonPropertyDescription("When it was done, RFC 3339 with milliseconds.") @Required
        String at) {}
