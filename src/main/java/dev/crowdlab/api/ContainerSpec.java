package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One container of an exercise; fields are named like those of a Kubernetes container. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(
    value = Cel.UNIQUE_PORT_NAMES_OF_ONE,
    fieldPath = ".ports",
    message = "two ports have the same name: give each port of the team a name of its own")
public record ContainerSpec(
    @JsonPropertyDescription(
            "The container's name, unique in the team; the other containers reach it by "
                + "this name.")
        @Required
        @Size(min = 1, max = 63)
        @ValidationRule(
            value = Cel.LABEL,
            message =
                "must be a host name of one part: lower-case letters, digits and -, beginning and"
                    + " ending with a letter or digit")
        String name,
    @JsonPropertyDescription(
            "The image. One that the machine already has is used as it is; any other is "
                + "pulled.")
        @Required
        @Size(min = 1, max = 512)
        @ValidationRule(
            value = Cel.IMAGE,
            message =
                "must be an image reference, e.g. registry.example.org/lab/web:1, without spaces")
        String image,
    @JsonPropertyDescription(
            "The program to run, instead of the image's entry point. Not run in a shell.")
        @Size(max = 128)
        List<@Size(max = 4096) String> command,
    @JsonPropertyDescription("Arguments, instead of the image's.") @Size(max = 128)
        List<@Size(max = 4096) String> args,
    @JsonPropertyDescription("Environment variables.") @Size(max = 128) List<EnvVar> env,
    @JsonPropertyDescription(
            "Ports that the container listens on. Only the one that access names is "
                + "reachable for students.")
        @Size(max = 16)
        List<ContainerPort> ports,
    @JsonPropertyDescription("How much of the machine the container may use.")
        @Nullable Resources resources,
    @JsonPropertyDescription(
            "Where the team's workspace is mounted, an absolute path. Left out, the "
                + "container does not see it.")
        @Nullable
        @Size(min = 1, max = 1024)
        @ValidationRule(value = Cel.ABSOLUTE, message = "must be an absolute path: begin it with /")
        @ValidationRule(
            value = Cel.NO_DOT_DOT,
            message = "must not contain .. segments: write the path they lead to")
        @ValidationRule(
            value = Cel.MOUNTABLE,
            message =
                "must not be /, nor lie below /proc, /sys or /dev, nor contain a colon, comma,"
                    + " quote or control character: use a directory such as /work")
        String workspaceMountPath) {

  /** Copies the lists. */
  public ContainerSpec {
    command = Lists.copyOrEmpty(command);
    args = Lists.copyOrEmpty(args);
    env = Lists.copyOrEmpty(env);
    ports = Lists.copyOrEmpty(ports);
  }
}
