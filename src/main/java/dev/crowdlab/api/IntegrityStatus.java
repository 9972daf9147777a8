package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The outcome of the last verification. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record IntegrityStatus(
    @JsonPropertyDescription("SHA-256 of the measured state that the machine was accepted with.")
        @Nullable String baselineDigest,
    @JsonPropertyDescription("When the machine was last verified, RFC 3339 with milliseconds.")
        @Nullable String lastVerified,
    @JsonPropertyDescription("What the last verification found; the gravest first, at most 50.")
        List<Finding> findings) {

  /** Copies the findings. */
  public IntegrityStatus {
    findings = Lists.copyOrEmpty(findings);
  }
}
