package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One container of an exercise; fields are named like those of a Kubernetes container. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record ContainerSpec(
    @JsonPropertyDescription(
            "The container's name, unique in the team; the other containers reach it by "
                + "this name.")
        @Required
        @Size(min = 1, max = 63)
        String name,
    @JsonPropertyDescription(
            "The image. One that the machine already has is used as it is; any other is "
                + "pulled.")
        @Required
        @Size(min = 1, max = 512)
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
        @Size(max = 32)
        List<ContainerPort> ports,
    @JsonPropertyDescription("How much of the machine the container may use.")
        @Nullable Resources resources,
    @JsonPropertyDescription(
            "Where the team's workspace is mounted, an absolute path. Left out, the "
                + "container does not see it.")
        @Nullable
        @Size(min = 1, max = 1024)
        String workspaceMountPath) {

  /** Copies the lists. */
  public ContainerSpec {
    command = Lists.copyOrEmpty(command);
    args = Lists.copyOrEmpty(args);
    env = Lists.copyOrEmpty(env);
    ports = Lists.copyOrEmpty(ports);
  }
}
