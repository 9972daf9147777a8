package dev.crowdlab.route;

import dev.crowdlab.api.AccessSpec;
import java.util.Locale;

/** Builds the URL at which students open an exercise. */
final class RouteUrl {

  private RouteUrl() {}

  /** https when the team has a TLS Secret, http otherwise; the path as it stands in the spec. */
  static String of(AccessSpec access) {
    String scheme = access.tlsSecretName() == null ? "http" : "https";
    return scheme + "://" + access.host().toLowerCase(Locale.ROOT) + access.path();
  }

  /** The host of a URL that {@link #of} built. */
  static String host(String url) {
    int start = url.indexOf("://") + 3;
    int end = url.indexOf('/', start);
    return url.substring(start, end < 0 ? url.length() : end);
  }
}
