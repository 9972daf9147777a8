package dev.crowdlab.api;

import com.fasterxml.jackson.annotation.JsonProperty;

/** A container port's protocol. */
public enum PortProtocol {
  /** TCP. */
  @JsonProperty("TCP")
  TCP,
  /** UDP; reached inside the team only. */
  @JsonProperty("UDP")
  UDP
}
