package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.Objects;

/** An environment variable. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record EnvVar(
    @JsonPropertyDescription(
            "The variable's name. Names that begin with CROWDLAB_ are reserved for what the "
                + "lab tells every container.")
        @Required
        @Size(min = 1, max = 253)
        @ValidationRule(
            value = Cel.ENV_NAME,
            message = "must consist of printable ASCII characters other than =")
        @ValidationRule(
            value = Cel.NOT_RESERVED_ENV_NAME,
            message =
                "must not begin with CROWDLAB_, which the lab reserves for its own variables: use"
                    + " another name")
        String name,
    @JsonPropertyDescription(
            "The variable's value; empty by default. It is not a place for secrets: whoever "
                + "reads the LabTeam reads it.")
        @Default("\"\"")
        @Size(max = 32768)
        String value) {

  /** Fills in the API's defaults where they were left out. */
  public EnvVar {
    value = Objects.requireNonNullElse(value, "");
  }
}
