package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import org.jspecify.annotations.Nullable;

/** How much of a machine CrowdLab may use. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Capacity(
    @JsonPropertyDescription("How many teams the machine carries at most.")
        @Required
        @Min(0)
        @Max(1000)
        Integer teams,
    @JsonPropertyDescription(
            "How much cpu all teams together may request, e.g. 2 or 500m. By default all "
                + "that the machine has.")
        @Nullable
        @ValidationRule(
            value = Cel.QUANTITY,
            message = "must be a quantity of at least 0, e.g. 2, 500m or 4Gi")
        Quantity cpu,
    @JsonPropertyDescription(
            "How much memory all teams together may request, e.g. 4Gi. By default all that "
                + "the machine has.")
        @Nullable
        @ValidationRule(
            value = Cel.QUANTITY,
            message = "must be a quantity of at least 0, e.g. 2, 500m or 4Gi")
        Quantity memory) {}
