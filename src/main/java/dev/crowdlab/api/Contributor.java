package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import org.jspecify.annotations.Nullable;

/** Who lends a machine. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Contributor(
    @JsonPropertyDescription(
            "The contributor's name. Machines of one name count as one contributor when "
                + "teams are spread.")
        @Required
        @Size(min = 1, max = 128)
        String name,
    @JsonPropertyDescription(
            "Where to reach the contributor, for people: an e-mail address, a phone number, "
                + "a chat handle.")
        @Nullable
        @Size(max = 256)
        String contact) {}
