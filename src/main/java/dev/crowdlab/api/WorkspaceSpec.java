package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.Objects;

/** A team's files. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record WorkspaceSpec(
    @JsonPropertyDescription(
            "How much the workspace may hold, e.g. 1Gi. Enforced by the file server's quota "
                + "where its file system has one.")
        @Default("\"1Gi\"")
        @ValidationRule(
            value = Cel.QUANTITY_ABOVE_ZERO,
            message = "must be a quantity above 0, e.g. 1Gi or 500Mi")
        Quantity size,
    @JsonPropertyDescription(
            "Asynchronous: a file is saved once its close or fsync returned. Synchronous: every"
                + " write that returned is saved, and each waits for the file server.")
        @Default("Asynchronous")
        Writes writes) {

  /** What applies when the spec says nothing. */
  public static final WorkspaceSpec DEFAULT =
      new WorkspaceSpec(new Quantity("1Gi"), Writes.ASYNCHRONOUS);

  /** Fills in the API's defaults where they were left out. */
  public WorkspaceSpec {
    size = Objects.requireNonNullElse(size, new Quantity("1Gi"));
    writes = Objects.requireNonNullElse(writes, Writes.ASYNCHRONOUS);
  }
}
