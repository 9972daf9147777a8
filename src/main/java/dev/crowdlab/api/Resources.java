package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.Map;

/** How much of a machine a container may use. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Resources(
    @JsonPropertyDescription("The most it gets: cpu and memory.") @Size(max = 2)
        Map<String, Quantity> limits,
    @JsonPropertyDescription(
            "What is reserved for it when a machine is chosen: cpu and memory. By default "
                + "its limits.")
        @Size(max = 2)
        Map<String, Quantity> requests) {

  /** Copies the maps. */
  public Resources {
    limits = limits == null ? Map.of() : Map.copyOf(limits);
    requests = requests == null ? Map.of() : Map.copyOf(requests);
  }
}
