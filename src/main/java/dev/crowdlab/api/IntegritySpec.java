package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How a machine is judged; a violation makes Verified=False with the findings. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record IntegritySpec(
    @JsonPropertyDescription(
            "How strictly findings are judged. Standard: those that show tampering are "
                + "violations. Strict: every finding is.")
        @Default("Standard")
        IntegrityPolicy policy,
    @JsonPropertyDescription(
            "Absolute paths of files or directories whose change is a violation, besides "
                + "those that are always protected.")
        @Size(max = 64)
        @ValidationRule(
            value = Cel.PATHS,
            message = "each path must be absolute and without .. segments, e.g. /etc/ssh")
        List<@Size(min = 1, max = 1024) String> protectedPaths,
    @JsonPropertyDescription(
            "Distributions that are accepted, as in /etc/os-release: ID, or ID:VERSION_ID, "
                + "e.g. debian:12. Empty accepts every one that the operator supports.")
        @Size(max = 32)
        @ValidationRule(
            value = Cel.DISTRIBUTIONS,
            message =
                "each must be an ID, or ID:VERSION_ID, of /etc/os-release, e.g. debian or"
                    + " debian:12")
        List<@Size(min = 1, max = 64) String> allowedDistributions,
    @JsonPropertyDescription("The oldest kernel that is accepted, e.g. 5.10.")
        @Nullable
        @Size(max = 32)
        @ValidationRule(
            value = Cel.KERNEL,
            message = "must be a kernel version of two or three numbers, e.g. 5.10 or 6.1.12")
        String minimumKernel,
    @JsonPropertyDescription("Findings that are violations whatever the policy says.")
        @Size(max = 32)
        List<FindingKind> forbiddenFindings,
    @JsonPropertyDescription(
            "What a violation leads to. Quarantine: teams leave, nothing new comes, a "
                + "person releases the machine. Report: the condition says so, nothing moves.")
        @Default("Quarantine")
        OnViolation onViolation) {

  /** What applies when the spec says nothing. */
  public static final IntegritySpec DEFAULT =
      new IntegritySpec(
          IntegrityPolicy.STANDARD, List.of(), List.of(), null, List.of(), OnViolation.QUARANTINE);

  /** Fills in the API's defaults where they were left out. */
  public IntegritySpec {
    policy = Objects.requireNonNullElse(policy, IntegrityPolicy.STANDARD);
    protectedPaths = Lists.copyOrEmpty(protectedPaths);
    allowedDistributions = Lists.copyOrEmpty(allowedDistributions);
    forbiddenFindings = Lists.copyOrEmpty(forbiddenFindings);
    onViolation = Objects.requireNonNullElse(onViolation, OnViolation.QUARANTINE);
  }
}
