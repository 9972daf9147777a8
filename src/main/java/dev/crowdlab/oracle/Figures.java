package dev.crowdlab.oracle;

import dev.crowdlab.oracle.Exchange.Answer;
import dev.crowdlab.oracle.Exchange.Way;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What a student met on one way, counted.
 *
 * @param requests all of them
 * @param longestWait the longest time that a right answer took
 * @param longestSilence the longest time without a right answer: from one to the next, from the
 *     first request to the first, from the last to the last request's end
 */
public record Figures(
    int requests,
    int right,
    int wrong,
    int serverErrors,
    int otherStatuses,
    int refused,
    int unanswered,
    Duration longestWait,
    Duration longestSilence) {

  /**
   * Counts exchanges of one way.
   *
   * @param exchanges in the order in which they were sent
   */
  static Figures of(List<Exchange> exchanges) {
    Map<Answer, Integer> counts = new EnumMap<>(Answer.class);
    Duration wait = Duration.ZERO;
    for (Exchange exchange : exchanges) {
      counts.merge(exchange.answer(), 1, Integer::sum);
      if (exchange.isRight()) {
        wait = longer(wait, Duration.between(exchange.sent(), exchange.ended()));
      }
    }
    return new Figures(
        exchanges.size(),
        counts.getOrDefault(Answer.RIGHT, 0),
        counts.getOrDefault(Answer.WRONG, 0),
        counts.getOrDefault(Answer.SERVER_ERROR, 0),
        counts.getOrDefault(Answer.OTHER_STATUS, 0),
        counts.getOrDefault(Answer.REFUSED, 0),
        counts.getOrDefault(Answer.NONE, 0),
        wait,
        longestSilence(exchanges));
  }

  /** Counts each way by itself; a way that was not used is not there. */
  public static Map<Way, Figures> byWay(List<Exchange> exchanges) {
    Map<Way, Figures> figures = new EnumMap<>(Way.class);
    for (Way way : Way.values()) {
      List<Exchange> its = exchanges.stream().filter(e -> e.way() == way).toList();
      if (!its.isEmpty()) {
        figures.put(way, of(its));
      }
    }
    return figures;
  }

  /** Requests that came to nothing: all but the right answers and the wrong ones. */
  public int errors() {
    return serverErrors + otherStatuses + refused + unanswered;
  }

  private static Duration longestSilence(List<Exchange> exchanges) {
    if (exchanges.isEmpty()) {
      return Duration.ZERO;
    }
    Instant heard = exchanges.getFirst().sent();
    Duration longest = Duration.ZERO;
    // Readings overlap: what was sent first may be answered last.
    for (Exchange exchange :
        exchanges.stream().sorted(Comparator.comparing(Exchange::ended)).toList()) {
      longest = longer(longest, Duration.between(heard, exchange.ended()));
      if (exchange.isRight()) {
        heard = exchange.ended();
      }
    }
    return longest;
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) >= 0 ? one : other;
  }
}
