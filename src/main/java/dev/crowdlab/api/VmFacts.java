package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Quantity;
import org.jspecify.annotations.Nullable;

/** What the last probe measured. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record VmFacts(
    @JsonPropertyDescription("The distribution, ID in /etc/os-release, e.g. debian.")
        @Nullable String os,
    @JsonPropertyDescription("The distribution's release, VERSION_ID in /etc/os-release, e.g. 12.")
        @Nullable String osVersion,
    @JsonPropertyDescription("The distribution's name for people, PRETTY_NAME in /etc/os-release.")
        @Nullable String osName,
    @JsonPropertyDescription("The kernel's release, as uname -r prints it.")
        @Nullable String kernel,
    @JsonPropertyDescription("The processor architecture, as uname -m prints it.")
        @Nullable String arch,
    @JsonPropertyDescription("Processors online.") @Nullable Integer cpus,
    @JsonPropertyDescription("Memory of the machine.") @Nullable Quantity memory,
    @JsonPropertyDescription("Space that was free where containers are stored.")
        @Nullable Quantity disk,
    @JsonPropertyDescription("Round trip between the operator and the machine, e.g. 0.8ms.")
        @Nullable String latency,
    @JsonPropertyDescription("How far the machine's clock is ahead of the operator's, e.g. -12ms.")
        @Nullable String clockSkew,
    @JsonPropertyDescription("The package manager that was found, e.g. apt.")
        @Nullable String packageManager,
    @JsonPropertyDescription("When the probe ran, RFC 3339 with milliseconds.")
        @Nullable String measuredAt) {}
