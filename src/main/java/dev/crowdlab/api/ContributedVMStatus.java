package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the operator knows about a ContributedVM. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record ContributedVMStatus(
    @JsonPropertyDescription(
            "The spec generation that this status describes; -1 until the operator saw the object.")
        @Nullable Long observedGeneration,
    @JsonPropertyDescription(
            "Where the machine stands, derived from the conditions; for people. Automation "
                + "reads the condition Ready.")
        @Nullable VmPhase phase,
    @JsonPropertyDescription(
            "Reachable, Verified, Configured, AgentConnected and Ready; Quarantined, "
                + "Drained, Stalled and Reconciling where they apply.")
        List<Condition> conditions,
    @JsonPropertyDescription("What the last probe measured.") @Nullable VmFacts facts,
    @JsonPropertyDescription("The outcome of the last verification.")
        @Nullable IntegrityStatus integrity,
    @JsonPropertyDescription("The agent on the machine, as the hub sees it.")
        @Nullable AgentStatus agent,
    @JsonPropertyDescription("How reliable the machine has been.") @Nullable Reputation reputation,
    @JsonPropertyDescription("The LabTeams that are bound to the machine now.") List<String> teams,
    @JsonPropertyDescription("Teams bound and the capacity for teams, e.g. 2/4; for the column.")
        @Nullable String occupancy,
    @JsonPropertyDescription(
            "Fingerprint of the host key that the machine presented. To approve it, put it "
                + "into spec.ssh.hostKey or the annotation crowdlab.dev/approve-host-key.")
        @Nullable String hostKey,
    @JsonPropertyDescription("Fingerprint of the host key that was approved by annotation.")
        @Nullable String approvedHostKey,
    @JsonPropertyDescription("The IP address that the host was resolved to, checked and dialled.")
        @Nullable String address,
    @JsonPropertyDescription("SHA-256 of the machine-id; equal ones are one machine twice.")
        @Nullable String machineIdHash,
    @JsonPropertyDescription("How long each step took when it was last carried out.")
        List<StepTiming> timings,
    @JsonPropertyDescription("The quarantine that holds the machine, if any.")
        @Nullable Quarantine quarantine,
    @JsonPropertyDescription("What the contributor asked for on the machine itself, if anything.")
        @Nullable Voice voice,
    @JsonPropertyDescription(
            "Digest of the spec, the Secret and the settings that the last attempt to integrate "
                + "the machine was made with; when they change, it is tried again at once.")
        @Nullable String inputs,
    @JsonPropertyDescription("When a failed step is tried again.") @Nullable Backoff backoff) {

  /** A status that says nothing yet. */
  public static final ContributedVMStatus EMPTY = new Builder().build();

  /** Copies the lists. */
  public ContributedVMStatus {
    conditions = Lists.copyOrEmpty(conditions);
    teams = Lists.copyOrEmpty(teams);
    timings = Lists.copyOrEmpty(timings);
  }

  /** A builder that starts from this status. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.observedGeneration = observedGeneration;
    builder.phase = phase;
    builder.conditions = conditions;
    builder.facts = facts;
    builder.integrity = integrity;
    builder.agent = agent;
    builder.reputation = reputation;
    builder.teams = teams;
    builder.occupancy = occupancy;
    builder.hostKey = hostKey;
    builder.approvedHostKey = approvedHostKey;
    builder.address = address;
    builder.machineIdHash = machineIdHash;
    builder.timings = timings;
    builder.quarantine = quarantine;
    builder.voice = voice;
    builder.inputs = inputs;
    builder.backoff = backoff;
    return builder;
  }

  /** Rebuilds a status with some fields changed; null clears a field. */
  public static final class Builder {
    private @Nullable Long observedGeneration;
    private @Nullable VmPhase phase;
    private List<Condition> conditions = List.of();
    private @Nullable VmFacts facts;
    private @Nullable IntegrityStatus integrity;
    private @Nullable AgentStatus agent;
    private @Nullable Reputation reputation;
    private List<String> teams = List.of();
    private @Nullable String occupancy;
    private @Nullable String hostKey;
    private @Nullable String approvedHostKey;
    private @Nullable String address;
    private @Nullable String machineIdHash;
    private List<StepTiming> timings = List.of();
    private @Nullable Quarantine quarantine;
    private @Nullable Voice voice;
    private @Nullable String inputs;
    private @Nullable Backoff backoff;

    private Builder() {}

    public Builder observedGeneration(@Nullable Long value) {
      this.observedGeneration = value;
      return this;
    }

    public Builder phase(@Nullable VmPhase value) {
      this.phase = value;
      return this;
    }

    public Builder conditions(List<Condition> value) {
      this.conditions = value;
      return this;
    }

    public Builder facts(@Nullable VmFacts value) {
      this.facts = value;
      return this;
    }

    public Builder integrity(@Nullable IntegrityStatus value) {
      this.integrity = value;
      return this;
    }

    public Builder agent(@Nullable AgentStatus value) {
      this.agent = value;
      return this;
    }

    public Builder reputation(@Nullable Reputation value) {
      this.reputation = value;
      return this;
    }

    public Builder teams(List<String> value) {
      this.teams = value;
      return this;
    }

    public Builder occupancy(@Nullable String value) {
      this.occupancy = value;
      return this;
    }

    public Builder hostKey(@Nullable String value) {
      this.hostKey = value;
      return this;
    }

    public Builder approvedHostKey(@Nullable String value) {
      this.approvedHostKey = value;
      return this;
    }

    public Builder address(@Nullable String value) {
      this.address = value;
      return this;
    }

    public Builder machineIdHash(@Nullable String value) {
      this.machineIdHash = value;
      return this;
    }

    public Builder timings(List<StepTiming> value) {
      this.timings = value;
      return this;
    }

    public Builder quarantine(@Nullable Quarantine value) {
      this.quarantine = value;
      return this;
    }

    public Builder voice(@Nullable Voice value) {
      this.voice = value;
      return this;
    }

    public Builder inputs(@Nullable String value) {
      this.inputs = value;
      return this;
    }

    public Builder backoff(@Nullable Backoff value) {
      this.backoff = value;
      return this;
    }

    public ContributedVMStatus build() {
      return new ContributedVMStatus(
          observedGeneration,
          phase,
          conditions,
          facts,
          integrity,
          agent,
          reputation,
          teams,
          occupancy,
          hostKey,
          approvedHostKey,
          address,
          machineIdHash,
          timings,
          quarantine,
          voice,
          inputs,
          backoff);
    }
  }
}
