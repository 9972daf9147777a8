package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.Map;

/** How much of a machine a container may use. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(
    value = Cel.REQUESTS_WITHIN_LIMITS,
    fieldPath = ".requests",
    message = "a request is above its limit: lower it, or raise the limit")
public record Resources(
    @JsonPropertyDescription("The most it gets: cpu and memory.")
        @Size(max = 2)
        @ValidationRule(value = Cel.RESOURCE_NAMES, message = "only cpu and memory can be set here")
        @ValidationRule(
            value = Cel.QUANTITIES,
            message = "each must be a quantity of at least 0, e.g. 2, 500m or 4Gi")
        Map<String, Quantity> limits,
    @JsonPropertyDescription(
            "What is reserved for it when a machine is chosen: cpu and memory. By default "
                + "its limits.")
        @Size(max = 2)
        @ValidationRule(value = Cel.RESOURCE_NAMES, message = "only cpu and memory can be set here")
        @ValidationRule(
            value = Cel.QUANTITIES,
            message = "each must be a quantity of at least 0, e.g. 2, 500m or 4Gi")
        Map<String, Quantity> requests) {

  /** Copies the maps. */
  public Resources {
    limits = limits == null ? Map.of() : Map.copyOf(limits);
    requests = requests == null ? Map.of() : Map.copyOf(requests);
  }
}
