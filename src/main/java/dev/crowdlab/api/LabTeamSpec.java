package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One isolated exercise environment for one student or group. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(
    value = Cel.ACCESS_PORT,
    fieldPath = ".access.port",
    message =
        "no container has a TCP port of this name: use the name of one of"
            + " exercise.containers[].ports")
public record LabTeamSpec(
    @JsonPropertyDescription("What runs: one or more containers on a network of their own.")
        @Required
        Exercise exercise,
    @JsonPropertyDescription("Who works in this team, for people.") @Size(max = 256)
        List<@Size(min = 1, max = 128) String> members,
    @JsonPropertyDescription(
            "The team's files, kept on the file server whatever happens to machines.")
        @Default("{}")
        WorkspaceSpec workspace,
    @JsonPropertyDescription("Where students open the exercise.") @Required AccessSpec access,
    @JsonPropertyDescription("Which machines may carry the team.") @Default("{}")
        PlacementSpec placement,
    @JsonPropertyDescription("What happens when the team's machine fails.") @Default("{}")
        RecoverySpec recovery,
    @JsonPropertyDescription(
            "Whether the exercise is stopped. The workspace is kept; false starts it again.")
        @Default("false")
        Boolean suspended,
    @JsonPropertyDescription(
            "How long after its creation the team is suspended, e.g. 36h or 14d; nothing is "
                + "deleted. Units: d, h, m, s, in this order.")
        @Nullable
        @Size(max = 32)
        @ValidationRule(
            value = Cel.DURATION,
            message =
                "must be a time above 0 with the units d, h, m, s in this order, e.g. 14d, 36h or"
                    + " 1d12h")
        String expiresAfter) {

  /** Fills in the API's defaults where they were left out. */
  public LabTeamSpec {
    members = Lists.copyOrEmpty(members);
    workspace = Objects.requireNonNullElse(workspace, WorkspaceSpec.DEFAULT);
    placement = Objects.requireNonNullElse(placement, PlacementSpec.DEFAULT);
    recovery = Objects.requireNonNullElse(recovery, RecoverySpec.DEFAULT);
    suspended = Objects.requireNonNullElse(suspended, false);
  }
}
