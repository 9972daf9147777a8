package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import org.jspecify.annotations.Nullable;

/** The agent on the machine, as the hub sees it. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record AgentStatus(
    @JsonPropertyDescription("The agent's version: the digest of its content.")
        @Nullable String version,
    @JsonPropertyDescription(
            "When the current session began, RFC 3339 with milliseconds; absent while there "
                + "is none.")
        @Nullable String connectedSince,
    @JsonPropertyDescription(
            "The last sign of life, RFC 3339 with milliseconds; refreshed about once a "
                + "minute and when a session ends.")
        @Nullable String lastSeen,
    @JsonPropertyDescription(
            "The boot id of the machine's kernel: another one tells that it was started anew.")
        @Nullable String bootId) {}
