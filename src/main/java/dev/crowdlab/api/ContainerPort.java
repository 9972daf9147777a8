package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A port that a container listens on. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record ContainerPort(
    @JsonPropertyDescription("The port's name, unique in the team; access.port refers to it.")
        @Nullable
        @Size(min = 1, max = 15)
        @ValidationRule(
            value = Cel.PORT_NAME,
            message =
                "must be a port name: lower-case letters, digits and single -, at least one letter,"
                    + " beginning and ending with a letter or digit")
        String name,
    @JsonPropertyDescription("The port's number in the container.") @Required @Min(1) @Max(65535)
        Integer containerPort,
    @JsonPropertyDescription("The port's protocol.") @Default("TCP") PortProtocol protocol) {

  /** Fills in the API's defaults where they were left out. */
  public ContainerPort {
    protocol = Objects.requireNonNullElse(protocol, PortProtocol.TCP);
  }
}
