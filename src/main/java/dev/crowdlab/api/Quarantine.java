package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import org.jspecify.annotations.Nullable;

/** A quarantine that lasts until a person releases it. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Quarantine(
    @JsonPropertyDescription(
            "What the annotation crowdlab.dev/release must carry to end this quarantine.")
        @Required
        String id,
    @JsonPropertyDescription("When it began, RFC 3339 with milliseconds.") @Nullable String since,
    @JsonPropertyDescription("Why, in a word.") @Nullable String reason) {}
