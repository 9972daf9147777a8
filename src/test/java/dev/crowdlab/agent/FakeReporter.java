package dev.crowdlab.agent;

import dev.crowdlab.protocol.FromAgent;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/** Remembers what was reported. */
final class FakeReporter implements Reporter {

  private final List<FromAgent> all = new CopyOnWriteArrayList<>();
  private final List<FromAgent.Prepared> prepared = new CopyOnWriteArrayList<>();

  @Override
  public void report(FromAgent.TeamReport report) {
    all.add(report);
  }

  @Override
  public void gone(FromAgent.TeamGone gone) {
    all.add(gone);
  }

  @Override
  public void prepared(FromAgent.Prepared answer) {
    prepared.add(answer);
  }

  List<FromAgent.Prepared> prepared() {
    return prepared;
  }

  /** What was said of runs, but for what was made of them ahead. */
  List<FromAgent> all() {
    return all;
  }

  List<FromAgent.TeamReport.State> states() {
    return all.stream()
        .filter(FromAgent.TeamReport.class::isInstance)
        .map(report -> ((FromAgent.TeamReport) report).state())
        .toList();
  }

  FromAgent.TeamReport awaitReport(Predicate<FromAgent.TeamReport> which) {
    return await(FromAgent.TeamReport.class, which);
  }

  FromAgent.TeamGone awaitGone(long epoch) {
    return await(FromAgent.TeamGone.class, gone -> gone.epoch() == epoch);
  }

  private <T extends FromAgent> T await(Class<T> type, Predicate<T> which) {
    return Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(5))
        .until(
            () -> all.stream().filter(type::isInstance).map(type::cast).filter(which).findFirst(),
            Optional::isPresent)
        .orElseThrow();
  }
}
