package dev.crowdlab.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.oracle.Mark;
import dev.crowdlab.oracle.WriterJudge;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;

/**
 * A team whose writer fsyncs numbered lines that bear their epoch, and tells a collector outside of
 * all machines of each one, where no cut reaches.
 */
final class MarkedLines implements AutoCloseable {

  private static final Duration BOUND = Duration.ofSeconds(120);

  private final Lab lab;
  private final String name;
  private final Collector collector;

  private MarkedLines(Lab lab, String name, Collector collector) {
    this.lab = lab;
    this.name = name;
    this.collector = collector;
  }

  /**
   * Makes the team; its student's page is as usual.
   *
   * @param internet this machine's address as containers with egress reach it
   */
  static MarkedLines start(Lab lab, String name, String internet) {
    Collector collector = Collector.at(internet);
    lab.apply(
        LabTeam.class,
        lab.teamYaml(name)
            .replace("  exercise:\n", "  exercise:\n    egress: Internet\n")
            .replace(
                Lab.VICTIM,
                "workspaceMountPath: /work, command: [/bin/marked-lines, /work/lines, '%s', '%d']"
                    .formatted(collector.address(), collector.port())));
    return new MarkedLines(lab, name, collector);
  }

  /** Waits until more lines of the epoch were saved: its writer writes. */
  void awaitMore(long epoch) {
    long before = saved(epoch);
    Awaitility.await("more lines of epoch " + epoch)
        .atMost(BOUND)
        .until(() -> saved(epoch) > before + 10);
  }

  /** How many lines of the epoch were saved. */
  long saved(long epoch) {
    return collector.of(name).stream().filter(mark -> mark.epoch() == epoch).count();
  }

  /**
   * Every line that anybody heard was saved is there, each writer's are without a hole and in
   * order, and none of an epoch follows one of a later epoch.
   *
   * @param writers at least so many have written
   */
  void assertNothingIsLostOrMixed(LabTeam team, int writers) {
    // First what was acknowledged, then what is there: it goes on all the time.
    List<Mark> acknowledged = collector.of(name);
    String text = lab.fileServer().exec("cat", Lab.dataOf(team) + "/lines");
    assertThat(WriterJudge.judge(text, acknowledged)).isEmpty();
    assertThat(WriterJudge.writers(text)).hasSizeGreaterThanOrEqualTo(writers);
  }

  @Override
  public void close() {
    collector.close();
  }
}
