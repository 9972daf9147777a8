package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import java.util.Objects;

/** A daily window in which a machine is lent. */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record AvailabilityWindow(
    @JsonPropertyDescription("The days on which the window starts. Empty means every day.")
        @Size(max = 7)
        List<DayOfWeek> days,
    @JsonPropertyDescription("When the window starts, HH:MM in the time zone.")
        @Required
        @Size(max = 16)
        @ValidationRule(
            value = Cel.TIME_OF_DAY,
            message = "must be a time of day from 00:00 to 23:59, as HH:MM")
        String from,
    @JsonPropertyDescription(
            "When the window ends, HH:MM in the time zone. Not after from: on the next day.")
        @Required
        @Size(max = 16)
        @ValidationRule(
            value = Cel.TIME_OF_DAY,
            message = "must be a time of day from 00:00 to 23:59, as HH:MM")
        String to,
    @JsonPropertyDescription("The IANA time zone of from and to, e.g. Europe/Berlin.")
        @Default("UTC")
        @Size(min = 1, max = 64)
        @ValidationRule(
            value = Cel.TIME_ZONE,
            message = "must be the name of an IANA time zone, e.g. Europe/Berlin")
        String timeZone) {

  /** Fills in the API's defaults where they were left out. */
  public AvailabilityWindow {
    days = Lists.copyOrEmpty(days);
    timeZone = Objects.requireNonNullElse(timeZone, "UTC");
  }
}
