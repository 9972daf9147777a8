package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import org.jspecify.annotations.Nullable;

/** One thing that a verification found. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Finding(
    @JsonPropertyDescription("What was found.") @Required FindingKind kind,
    @JsonPropertyDescription("What it was found on: a path, an account, a port.")
        @Nullable String subject,
    @JsonPropertyDescription("What differs, for people.") @Nullable String detail,
    @JsonPropertyDescription("Whether it violates the policy.") boolean violation) {}
