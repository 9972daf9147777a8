package dev.crowdlab.route;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an installation decides about routes.
 *
 * @param allowedAnnotations the keys that {@code spec.access.annotations} may carry; an entry that
 *     ends in {@code /*} allows every key with that prefix
 * @param waitingRoom where the waiting room is reached from the ingress; null when there is none: a
 *     team between machines then has an EndpointSlice without endpoints
 */
public record RouteSettings(Set<String> allowedAnnotations, @Nullable Endpoint waitingRoom) {

  public RouteSettings {
    allowedAnnotations = Set.copyOf(allowedAnnotations);
  }

  boolean allows(String annotation) {
    int slash = annotation.indexOf('/');
    return allowedAnnotations.contains(annotation)
        || (slash > 0 && allowedAnnotations.contains(annotation.substring(0, slash) + "/*"));
  }
}
