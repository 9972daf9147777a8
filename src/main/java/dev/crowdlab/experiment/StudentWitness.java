package dev.crowdlab.experiment;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.oracle.Breach;
import dev.crowdlab.oracle.Exchange;
import dev.crowdlab.oracle.Figures;
import dev.crowdlab.oracle.History;
import dev.crowdlab.oracle.HttpStudent;
import dev.crowdlab.oracle.StudentJudge;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** A student who opens the team's URL all the time, as far as any exercise allows it. */
public final class StudentWitness implements Witness {

  /** Patient with ingresses that give up late: what those have not answered is not answered. */
  private static final Manner USUAL = new Manner(Duration.ofMillis(50), Duration.ofSeconds(30));

  private final InstantSource clock;
  private final History history;
  private final HttpStudent student;

  /**
   * What a student asks for.
   *
   * @param read a path below the team's URL that answers GET
   * @param append one that appends the body of a POST as a line to what {@code read} shows, and
   *     answers once it is saved; empty: the student only reads
   * @param ingress what the URL's name is reached at; empty: what it resolves to
   */
  public record Paths(String read, Optional<String> append, Optional<InetSocketAddress> ingress) {}

  /**
   * How a student asks.
   *
   * @param pause after each answer
   * @param patience with one request; then it has no answer, and the student asks anew
   */
  public record Manner(Duration pause, Duration patience) {}

  private StudentWitness(InstantSource clock, History history, HttpStudent student) {
    this.clock = clock;
    this.history = history;
    this.student = student;
  }

  /** A student for each team. */
  public static Source source(Paths paths, InstantSource clock) {
    return team -> of(team, paths, USUAL, clock, new History());
  }

  /**
   * A student for a team, whose exchanges stand in a history.
   *
   * @param team that is Ready
   */
  public static StudentWitness of(
      LabTeam team, Paths paths, Manner manner, InstantSource clock, History history) {
    String url = team.getStatus().url();
    if (url == null) {
      throw new IllegalStateException("a team that is Ready has a URL");
    }
    return new StudentWitness(
        clock,
        history,
        HttpStudent.start(
            new HttpStudent.Settings(
                below(url, paths.read()),
                paths.append().map(path -> below(url, path)),
                paths.ingress(),
                manner.pause(),
                manner.patience()),
            clock,
            history));
  }

  private static URI below(String url, String path) {
    String base = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    return URI.create(base + (path.startsWith("/") ? "" : "/") + path);
  }

  @Override
  public Optional<String> awaitWell(Duration bound) throws InterruptedException {
    Instant now = clock.instant();
    boolean well =
        history.await(
            now,
            exchanges ->
                exchanges.stream().filter(e -> e.answer() == Exchange.Answer.RIGHT).count() >= 3,
            bound);
    return well
        ? Optional.empty()
        : Optional.of("no three right answers: " + Figures.byWay(history.from(now)));
  }

  @Override
  public List<Exchange> exchanges(Instant from) {
    return history.from(from);
  }

  @Override
  public int writers() {
    return 0;
  }

  @Override
  public List<Breach> breaches() {
    return StudentJudge.judge(history.from(Instant.MIN));
  }

  /**
   * What is wrong with the file that the student appends to, as it lies where it is kept.
   *
   * @param stored reads it
   */
  public Optional<Breach> wrongFile(Supplier<String> stored) {
    return student.wrong(stored).map(wrong -> new Breach(Breach.Kind.WRONG_FILE, wrong));
  }

  @Override
  public void close() {
    student.close();
  }
}
