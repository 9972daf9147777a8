package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import org.jspecify.annotations.Nullable;

/**
 * A team on a machine, under an epoch; superseded by a new one, never edited but for what is chosen
 * later.
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Binding(
    @JsonPropertyDescription("Name of the ContributedVM.") @Required @Size(min = 1) String vm,
    @JsonPropertyDescription("UID of the ContributedVM; one of the same name is another.")
        @Nullable String vmUid,
    @JsonPropertyDescription("The binding's number, one higher at each rebind.") @Required @Min(1)
        long epoch,
    @JsonPropertyDescription("When it was chosen, RFC 3339 with milliseconds.")
        @Nullable String since,
    @JsonPropertyDescription("The machine's IP address that students' connections go to.")
        @Nullable String address,
    @JsonPropertyDescription("The port on the machine that the operator chose for the exercise.")
        @Nullable Integer port,
    @JsonPropertyDescription("The spec generation that the exercise was started for.")
        long generation,
    @JsonPropertyDescription(
            "SHA-256 of the exercise that was started; another one is started under a new "
                + "epoch.")
        @Nullable String exerciseDigest) {}
