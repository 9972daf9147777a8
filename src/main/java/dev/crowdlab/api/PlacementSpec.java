package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.kubernetes.api.model.LabelSelector;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Which machines may carry a team. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record PlacementSpec(
    @JsonPropertyDescription(
            "Selects ContributedVMs of the team's namespace by their labels. Left out, "
                + "every one may carry the team.")
        @Nullable LabelSelector vmSelector,
    @JsonPropertyDescription(
            "How to choose among several. Contributor: spread teams over contributors, then "
                + "machines. None: fill one machine after the other.")
        @Default("Contributor")
        Spread spread) {

  /** What applies when the spec says nothing. */
  public static final PlacementSpec DEFAULT = new PlacementSpec(null, Spread.CONTRIBUTOR);

  /** Fills in the API's defaults where they were left out. */
  public PlacementSpec {
    spread = Objects.requireNonNullElse(spread, Spread.CONTRIBUTOR);
  }
}
