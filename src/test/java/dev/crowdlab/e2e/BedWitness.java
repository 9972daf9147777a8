package dev.crowdlab.e2e;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.experiment.StudentWitness;
import dev.crowdlab.experiment.Witness;
import dev.crowdlab.oracle.Breach;
import dev.crowdlab.oracle.Exchange;
import dev.crowdlab.oracle.Exchange.Answer;
import dev.crowdlab.oracle.Exchange.Way;
import dev.crowdlab.oracle.Figures;
import dev.crowdlab.oracle.History;
import dev.crowdlab.oracle.Mark;
import dev.crowdlab.oracle.WriterJudge;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * The oracle of one team on the test bed: a student with GET, POST and a WebSocket through the
 * ingress, and a writer in the exercise whose saved lines a collector outside hears of. What both
 * saved is also read where it lies, on the file server.
 */
final class BedWitness implements Witness {

  private static final Duration POLL = Duration.ofMillis(50);

  private final Bed bed;
  private final String team;
  private final String data;
  private final Clock clock = Clock.systemUTC();
  private final History history = new History();
  private final StudentWitness student;
  private final SocketStudent socket;

  private BedWitness(Bed bed, LabTeam team, StudentWitness.Manner manner) {
    this.bed = bed;
    this.team = team.getMetadata().getName();
    this.data = Lab.dataOf(team);
    this.student =
        StudentWitness.of(
            team,
            new StudentWitness.Paths(
                "cgi-bin/file?student",
                Optional.of("cgi-bin/append?student"),
                Optional.of(bed.ingress().address())),
            manner,
            clock,
            history);
    URI url = URI.create(team.getStatus().url());
    this.socket =
        SocketStudent.start(
            URI.create("ws://" + url.getHost() + "/"),
            bed.ingress().address(),
            manner.patience(),
            history);
  }

  /**
   * The oracle of a team that is Ready.
   *
   * @param manner of the student
   */
  static BedWitness of(Bed bed, LabTeam team, StudentWitness.Manner manner) {
    return new BedWitness(bed, team, manner);
  }

  /** The student is answered on every way, and the writer is heard of, from now on. */
  @Override
  public Optional<String> awaitWell(Duration bound) throws InterruptedException {
    Instant now = clock.instant();
    int heard = heard().size();
    boolean answered =
        history.await(
            now,
            exchanges ->
                right(exchanges, Way.GET) >= 2
                    && right(exchanges, Way.POST) >= 2
                    && right(exchanges, Way.WEBSOCKET) >= 1,
            bound);
    if (!answered) {
      return Optional.of("the student met " + Figures.byWay(history.from(now)));
    }
    try {
      Awaitility.await().pollInterval(POLL).atMost(bound).until(() -> heard().size() > heard);
      return Optional.empty();
    } catch (ConditionTimeoutException e) {
      return Optional.of("nothing was heard of the writer after " + heard + " lines");
    }
  }

  private static long right(List<Exchange> exchanges, Way way) {
    return exchanges.stream().filter(e -> e.way() == way && e.answer() == Answer.RIGHT).count();
  }

  @Override
  public List<Exchange> exchanges(Instant from) {
    return history.from(from);
  }

  @Override
  public int writers() {
    return WriterJudge.writers(stored("lines")).size();
  }

  @Override
  public List<Breach> breaches() {
    // First what was acknowledged, then what is there: it goes on all the time.
    List<Mark> heard = heard();
    List<Breach> breaches = new ArrayList<>(WriterJudge.judge(stored("lines"), heard));
    student.wrongFile(() -> stored("student")).ifPresent(breaches::add);
    breaches.addAll(student.breaches());
    return breaches;
  }

  private List<Mark> heard() {
    return bed.collector().of(team);
  }

  private String stored(String file) {
    return bed.lab().fileServer().exec("cat", data + "/" + file);
  }

  @Override
  public void close() {
    socket.close();
    student.close();
  }
}
