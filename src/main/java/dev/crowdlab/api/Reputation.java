package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How reliable a machine has been. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Reputation(
    @JsonPropertyDescription(
            "When its agent was heard for the first time, RFC 3339 with milliseconds.")
        @Nullable String since,
    @JsonPropertyDescription(
            "The share of the time since then in which it was not lost, e.g. 99.8%.")
        @Nullable String uptime,
    @JsonPropertyDescription(
            "How long it was lost, in all, e.g. 12.345s; without a loss that lasts.")
        @Nullable String lostFor,
    @JsonPropertyDescription("How often it was lost.") @Nullable Integer losses,
    @JsonPropertyDescription("How often its agent had to be restarted.")
        @Nullable Integer agentFaults,
    @JsonPropertyDescription(
            "Losses that are not forgiven yet: each doubles the time for which it must be back "
                + "before it carries teams.")
        @Nullable Integer flaps,
    @JsonPropertyDescription(
            "When it may carry teams again, RFC 3339 with milliseconds; absent unless it is back "
                + "after a loss, a stop or a pause, and must stay a while first.")
        @Nullable String stableFrom,
    @JsonPropertyDescription("The last faults, at most 5, the latest first.") List<Fault> faults) {

  /** Copies the faults. */
  public Reputation {
    faults = Lists.copyOrEmpty(faults);
  }
}
