package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
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
        @ValidationRule(
            value = Cel.SUBDOMAIN,
            message =
                "must be a lower-case host name such as team-7.lab.example.org, without scheme,"
                    + " port or wildcard")
        @ValidationRule(
            value = Cel.NOT_AN_IP,
            message = "must be a host name, not an IP address: an ingress routes by name")
        String host,
    @JsonPropertyDescription("The path prefix of the exercise's URL.")
        @Default("/")
        @Size(min = 1, max = 1024)
        @ValidationRule(value = Cel.ABSOLUTE, message = "must be an absolute path: begin it with /")
        @ValidationRule(
            value = Cel.URL_PATH,
            message =
                "must be a plain URL path: no //, . or .. segments, no escaped slash, no query, no"
                    + " spaces")
        String path,
    @JsonPropertyDescription("The name of the container port that students reach.")
        @Required
        @Size(min = 1, max = 15)
        String port,
    @JsonPropertyDescription("The ingress class. By default the cluster's default class.")
        @Nullable
        @Size(min = 1, max = 253)
        @ValidationRule(
            value = Cel.SUBDOMAIN,
            message =
                "must be the name of a Kubernetes object: lower-case letters, digits, - and .,"
                    + " beginning and ending with a letter or digit")
        String ingressClassName,
    @JsonPropertyDescription(
            "A Secret of type kubernetes.io/tls, in the same namespace, for the host. "
                + "Given, the URL is https.")
        @Nullable
        @Size(min = 1, max = 253)
        @ValidationRule(
            value = Cel.SUBDOMAIN,
            message =
                "must be the name of a Kubernetes object: lower-case letters, digits, - and .,"
                    + " beginning and ending with a letter or digit")
        String tlsSecretName,
    @JsonPropertyDescription(
            "Annotations for the Ingress; the installation lists the keys it allows.")
        @Size(max = 32)
        @ValidationRule(
            value = Cel.ANNOTATION_KEYS,
            message = "each key must be an annotation key, e.g. cert-manager.io/cluster-issuer")
        Map<String, @Size(max = 16384) String> annotations) {

  /** Fills in the API's defaults where they were left out. */
  public AccessSpec {
    path = Objects.requireNonNullElse(path, "/");
    annotations = annotations == null ? Map.of() : Map.copyOf(annotations);
  }
}
