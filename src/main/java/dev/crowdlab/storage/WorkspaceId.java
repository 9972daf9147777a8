package dev.crowdlab.storage;

import java.util.regex.Pattern;

/**
 * Names a workspace on the file server: {@code <installation>-<team>}, both from the alphabet of
 * lower-case base32, so that two clusters may share a server and the root script can take it for
 * granted.
 */
public record WorkspaceId(String value) {

  private static final Pattern FORM = Pattern.compile("[a-z2-7]{6}-[a-z2-7]{16}");

  public WorkspaceId {
    if (!FORM.matcher(value).matches()) {
      throw new IllegalArgumentException("a workspace id must match " + FORM + ", not: " + value);
    }
  }

  @Override
  public String toString() {
    return value;
  }
}
