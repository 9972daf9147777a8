package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the operator knows about a LabTeam. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record LabTeamStatus(
    @JsonPropertyDescription(
            "The spec generation that this status describes; -1 until the operator saw the object.")
        @Nullable Long observedGeneration,
    @JsonPropertyDescription(
            "Where the team stands, derived from the conditions; for people. Automation "
                + "reads the condition Ready.")
        @Nullable TeamPhase phase,
    @JsonPropertyDescription(
            "Placed, WorkspaceAttached, ExerciseRunning, Routed and Ready; Stalled and "
                + "Reconciling where they apply.")
        List<Condition> conditions,
    @JsonPropertyDescription("The machine that carries the team now; absent while none does.")
        @Nullable Binding binding,
    @JsonPropertyDescription(
            "The highest epoch this team ever had; a new binding gets a higher one, even "
                + "after the binding was emptied.")
        @Nullable Long highestEpoch,
    @JsonPropertyDescription(
            "Earlier bindings whose machines have not yet confirmed that they stopped; the "
                + "newest first, at most 10.")
        List<Binding> superseded,
    @JsonPropertyDescription("Where the team's files are.") @Nullable WorkspaceStatus workspace,
    @JsonPropertyDescription("Where students open the exercise.") @Nullable String url,
    @JsonPropertyDescription("How the team was created, step by step.") @Nullable Creation creation,
    @JsonPropertyDescription(
            "The last recoveries and restarts under a new epoch; the newest first, at most "
                + "10.")
        List<Recovery> recoveries,
    @JsonPropertyDescription("How many recoveries there were in all.")
        @Nullable Integer recoveryCount,
    @JsonPropertyDescription("When a failed step is tried again.") @Nullable Backoff backoff) {

  /** A status that says nothing yet. */
  public static final LabTeamStatus EMPTY = new Builder().build();

  /** Copies the lists. */
  public LabTeamStatus {
    conditions = Lists.copyOrEmpty(conditions);
    superseded = Lists.copyOrEmpty(superseded);
    recoveries = Lists.copyOrEmpty(recoveries);
  }

  /** A builder that starts from this status. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.observedGeneration = observedGeneration;
    builder.phase = phase;
    builder.conditions = conditions;
    builder.binding = binding;
    builder.highestEpoch = highestEpoch;
    builder.superseded = superseded;
    builder.workspace = workspace;
    builder.url = url;
    builder.creation = creation;
    builder.recoveries = recoveries;
    builder.recoveryCount = recoveryCount;
    builder.backoff = backoff;
    return builder;
  }

  /** Rebuilds a status with some fields changed; null clears a field. */
  public static final class Builder {
    private @Nullable Long observedGeneration;
    private @Nullable TeamPhase phase;
    private List<Condition> conditions = List.of();
    private @Nullable Binding binding;
    private @Nullable Long highestEpoch;
    private List<Binding> superseded = List.of();
    private @Nullable WorkspaceStatus workspace;
    private @Nullable String url;
    private @Nullable Creation creation;
    private List<Recovery> recoveries = List.of();
    private @Nullable Integer recoveryCount;
    private @Nullable Backoff backoff;

    private Builder() {}

    public Builder observedGeneration(@Nullable Long value) {
      this.observedGeneration = value;
      return this;
    }

    public Builder phase(@Nullable TeamPhase value) {
      this.phase = value;
      return this;
    }

    public Builder conditions(List<Condition> value) {
      this.conditions = value;
      return this;
    }

    public Builder binding(@Nullable Binding value) {
      this.binding = value;
      return this;
    }

    public Builder highestEpoch(@Nullable Long value) {
      this.highestEpoch = value;
      return this;
    }

    public Builder superseded(List<Binding> value) {
      this.superseded = value;
      return this;
    }

    public Builder workspace(@Nullable WorkspaceStatus value) {
      this.workspace = value;
      return this;
    }

    public Builder url(@Nullable String value) {
      this.url = value;
      return this;
    }

    public Builder creation(@Nullable Creation value) {
      this.creation = value;
      return this;
    }

    public Builder recoveries(List<Recovery> value) {
      this.recoveries = value;
      return this;
    }

    public Builder recoveryCount(@Nullable Integer value) {
      this.recoveryCount = value;
      return this;
    }

    public Builder backoff(@Nullable Backoff value) {
      this.backoff = value;
      return this;
    }

    public LabTeamStatus build() {
      return new LabTeamStatus(
          observedGeneration,
          phase,
          conditions,
          binding,
          highestEpoch,
          superseded,
          workspace,
          url,
          creation,
          recoveries,
          recoveryCount,
          backoff);
    }
  }
}
