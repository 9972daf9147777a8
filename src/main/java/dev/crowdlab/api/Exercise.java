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

/** What runs for a team. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(
    value = Cel.UNIQUE_CONTAINERS,
    fieldPath = ".containers",
    message = "two containers have the same name: give each container a name of its own")
@ValidationRule(
    value = Cel.UNIQUE_PORT_NAMES,
    fieldPath = ".containers",
    message = "two ports have the same name: give each port of the team a name of its own")
public record Exercise(
    @JsonPropertyDescription(
            "The team's machines (attacker, victim, ...). They reach each other by name; no "
                + "other team reaches them.")
        @Required
        @Size(min = 1, max = 16)
        List<ContainerSpec> containers,
    @JsonPropertyDescription(
            "Where the containers may connect to besides each other. None: nowhere. "
                + "Internet: public addresses only.")
        @Default("None")
        Egress egress,
    @JsonPropertyDescription(
            "A Secret of type kubernetes.io/dockerconfigjson with credentials for the "
                + "images' registries.")
        @Nullable SecretRef imagePullSecretRef) {

  /** Fills in the API's defaults where they were left out. */
  public Exercise {
    containers = Lists.copyOrEmpty(containers);
    egress = Objects.requireNonNullElse(egress, Egress.NONE);
  }
}
