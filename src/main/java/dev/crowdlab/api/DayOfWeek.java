package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A day, named as Kubernetes and cron name them. */
public enum DayOfWeek {
  /** Monday. */
  @JsonProperty("Mon")
  MON,
  /** Tuesday. */
  @JsonProperty("Tue")
  TUE,
  /** Wednesday. */
  @JsonProperty("Wed")
  WED,
  /** Thursday. */
  @JsonProperty("Thu")
  THU,
  /** Friday. */
  @JsonProperty("Fri")
  FRI,
  /** Saturday. */
  @JsonProperty("Sat")
  SAT,
  /** Sunday. */
  @JsonProperty("Sun")
  SUN;

  /** The word as it stands in the API. */
  @Override
  public String toString() {
    return Words.of(this);
  }
}
