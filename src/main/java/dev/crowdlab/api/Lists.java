package dev.crowdlab.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the records' constructors share. */
final class Lists {
  private Lists() {}

  /** An unmodifiable copy; Jackson passes null for a list that the document leaves out. */
  static <T> List<T> copyOrEmpty(@Nullable List<T> list) {
    return list == null ? List.of() : List.copyOf(list);
  }
}
