package dev.crowdlab.vm;

import dev.crowdlab.api.Reason;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The way back from a condition's word to {@link Reason}. */
final class Reasons {

  private static final Map<String, Reason> BY_VALUE =
      Arrays.stream(Reason.values())
          .collect(Collectors.toUnmodifiableMap(Reason::value, Function.identity()));

  private Reasons() {}

  /** The reason of a condition; one that another version wrote counts as an internal error. */
  static Reason of(Condition condition) {
    return BY_VALUE.getOrDefault(condition.getReason(), Reason.INTERNAL_ERROR);
  }
}
