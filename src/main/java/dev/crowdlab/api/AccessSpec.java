package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where students open an exercise. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record AccessSpec(
    @JsonPropertyDescription(
            "The host name of the exercise's URL. It belongs to the first namespace that "
                + "uses it.")
        @Required
        @Size(min = 1, max = 253)
        String host,
    @JsonPropertyDescription("The path prefix of the exercise's URL.")
        @Default("/")
        @Size(min = 1, max = 1024)
        String path,
    @JsonPropertyDescription("The name of the container port that students reach.")
        @Required
        @Size(min = 1, max = 15)
        String port,
    @JsonPropertyDescription("The ingress class. By default the cluster's default class.")
        @Nullable
        @Size(min = 1, max = 253)
        String ingressClassName,
    @JsonPropertyDescription(
            "A Secret of type kubernetes.io/tls, in the same namespace, for the host. "
                + "Given, the URL is https.")
        @Nullable
        @Size(min = 1, max = 253)
        String tlsSecretName,
    @JsonPropertyDescription(
            "Annotations for the Ingress; the installation lists the keys it allows.")
        @Size(max = 64)
        Map<String, @Size(max = 65536) String> annotations) {

  /** Fills in the API's defaults where they were left out. */
  public AccessSpec {
    path = Objects.requireNonNullElse(path, "/");
    annotations = annotations == null ? Map.of() : Map.copyOf(annotations);
  }
}
