package dev.crowdlab.integrity;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The numbers that a kernel release begins with: {@code 5.10.0-21-amd64} is 5.10.0. What follows
 * them is the distribution's own and cannot be compared. Missing numbers count as 0.
 */
record KernelVersion(List<Integer> numbers) implements Comparable<KernelVersion> {

  private static final Pattern NUMBERS =
      Pattern.compile("\\d{1,9}(?!\\d)(\\.\\d{1,9}(?!\\d)){0,3}");

  KernelVersion {
    numbers = List.copyOf(numbers);
  }

  /** Empty when the text begins with no number. */
  static Optional<KernelVersion> parse(String release) {
    Matcher matcher = NUMBERS.matcher(release);
    return matcher.lookingAt()
        ? Optional.of(
            new KernelVersion(
                Arrays.stream(matcher.group().split("\\.", -1)).map(Integer::valueOf).toList()))
        : Optional.empty();
  }

  @Override
  public int compareTo(KernelVersion other) {
    int length = Math.max(numbers.size(), other.numbers.size());
    for (int i = 0; i < length; i++) {
      int order = Integer.compare(at(i), other.at(i));
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }

  private int at(int index) {
    return index < numbers.size() ? numbers.get(index) : 0;
  }
}
