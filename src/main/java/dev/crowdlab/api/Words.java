package dev.crowdlab.api;

import java.util.Locale;

/** The words of the API for our enums, for messages; Jackson takes them from the annotations. */
final class Words {
  private Words() {}

  /** {@code PACKAGE_FILE_MODIFIED} is {@code PackageFileModified}. */
  static String of(Enum<?> constant) {
    StringBuilder word = new StringBuilder();
    for (String part : constant.name().split("_", -1)) {
      word.append(part.charAt(0)).append(part.substring(1).toLowerCase(Locale.ROOT));
    }
    return word.toString();
  }
}
