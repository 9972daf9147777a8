package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import java.util.Objects;

/** What a contributor lends, and on which terms. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record ContributedVMSpec(
    @JsonPropertyDescription("Who lends the machine. Teams are spread over contributors.") @Required
        Contributor contributor,
    @JsonPropertyDescription("How the operator reaches the machine over SSH.") @Required
        SshSpec ssh,
    @JsonPropertyDescription("How much of the machine CrowdLab may use.") @Required
        Capacity capacity,
    @JsonPropertyDescription(
            "Whether new teams may be placed here. False cordons the machine: teams that "
                + "run there stay.")
        @Default("true")
        Boolean schedulable,
    @JsonPropertyDescription(
            "Whether the teams that run here shall move away, planned, each as soon as another "
                + "machine has room for it. New teams are kept away as well.")
        @Default("false")
        Boolean drain,
    @JsonPropertyDescription(
            "How the machine is judged. The operator's own settings are a floor that this "
                + "cannot lower.")
        @Default("{}")
        IntegritySpec integrity,
    @JsonPropertyDescription(
            "When the contributor lends the machine. Empty means always. Teams leave when a "
                + "window ends.")
        @Size(max = 32)
        List<AvailabilityWindow> availability) {

  /** Fills in the API's defaults where they were left out. */
  public ContributedVMSpec {
    schedulable = Objects.requireNonNullElse(schedulable, true);
    drain = Objects.requireNonNullElse(drain, false);
    integrity = Objects.requireNonNullElse(integrity, IntegritySpec.DEFAULT);
    availability = Lists.copyOrEmpty(availability);
  }
}
