package dev.crowdlab.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.crowdlab.oracle.Exchange.Answer;
import dev.crowdlab.oracle.Exchange.Way;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A student tells right answers from wrong ones, and errors from silence. */
class HttpStudentTest {

  private static final Duration BOUND = Duration.ofSeconds(20);

  private final History history = new History();
  private final StringBuffer file = new StringBuffer();
  private volatile int status = 200;
  private volatile boolean forgets;
  private volatile boolean swallows;
  private final CountDownLatch swallowed = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.setExecutor(threads);
    server.start();
  }

  @AfterEach
  void stop() {
    swallowed.countDown();
    server.stop(0);
    threads.close();
  }

  private void answer(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    if (exchange.getRequestMethod().equals("POST") && status == 200 && !forgets) {
      file.append(body).append('\n');
    }
    if (exchange.getRequestMethod().equals("GET") && swallows) {
      swallows = false;
      try {
        var _ = swallowed.await(BOUND.toSeconds(), TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    byte[] bytes = file.toString().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Test
  void anExerciseThatKeepsWhatItAcknowledgesAnswersRight() throws Exception {
    try (HttpStudent _ = student()) {
      assertThat(history.await(Instant.EPOCH, all -> right(all, Way.GET) > 5, BOUND)).isTrue();
      assertThat(history.await(Instant.EPOCH, all -> right(all, Way.POST) > 5, BOUND)).isTrue();
    }

    assertThat(StudentJudge.judge(history.from(Instant.EPOCH))).isEmpty();
    assertThat(Figures.byWay(history.from(Instant.EPOCH)).get(Way.GET).errors()).isZero();
  }

  @Test
  void anExerciseThatForgetsWhatItAcknowledgedAnswersWrong() throws Exception {
    forgets = true;
    try (HttpStudent _ = student()) {
      assertThat(
              history.await(
                  Instant.EPOCH,
                  all -> all.stream().anyMatch(each -> each.answer() == Answer.WRONG),
                  BOUND))
          .isTrue();
    }

    assertThat(StudentJudge.judge(history.from(Instant.EPOCH))).isNotEmpty();
  }

  @Test
  void theStoredFileIsComparedWithWhatWasAcknowledgedBeforeItWasRead() throws Exception {
    try (HttpStudent student = student()) {
      assertThat(history.await(Instant.EPOCH, all -> right(all, Way.POST) > 5, BOUND)).isTrue();

      assertThat(student.wrong(this::storedWhileMoreIsSaved)).isEmpty();
      assertThat(student.wrong(() -> "")).contains("1 was acknowledged and is not shown");
      assertThat(student.wrong(() -> file + "\0\n"))
          .hasValueSatisfying(wrong -> assertThat(wrong).endsWith("'<1 x 00>'"));
    }
  }

  /** The file as it is now; when it is handed over, more has been acknowledged. */
  private String storedWhileMoreIsSaved() {
    String stored = file.toString();
    Instant now = Instant.now();
    try {
      assertThat(history.await(now, all -> right(all, Way.POST) > 2, BOUND)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return stored;
  }

  @Test
  void aReadingThatIsSwallowedHidesNoAnswerToTheNext() throws Exception {
    swallows = true;
    try (HttpStudent _ = student()) {
      assertThat(history.await(Instant.EPOCH, all -> right(all, Way.GET) > 5, BOUND)).isTrue();
      assertThat(swallows).as("one was swallowed").isFalse();
      swallowed.countDown();
    }

    List<Exchange> readings =
        history.from(Instant.EPOCH).stream().filter(e -> e.way() == Way.GET).toList();
    Exchange longest =
        Collections.max(readings, Comparator.comparing(e -> Duration.between(e.sent(), e.ended())));
    assertThat(readings)
        .anyMatch(
            other ->
                other.isRight()
                    && other.sent().isAfter(longest.sent())
                    && other.ended().isBefore(longest.ended()));
  }

  @Test
  void anErrorIsCountedAsOne() throws Exception {
    status = 503;
    try (HttpStudent _ = student()) {
      assertThat(history.await(Instant.EPOCH, all -> all.size() > 3, BOUND)).isTrue();
    }

    assertThat(history.from(Instant.EPOCH))
        .extracting(Exchange::answer)
        .containsOnly(Answer.SERVER_ERROR);
  }

  @Test
  void aPortThatNobodyListensOnRefuses() throws Exception {
    server.stop(0);
    try (HttpStudent _ = student()) {
      assertThat(history.await(Instant.EPOCH, all -> all.size() > 3, BOUND)).isTrue();
    }

    assertThat(history.from(Instant.EPOCH))
        .extracting(Exchange::answer)
        .containsOnly(Answer.REFUSED);
  }

  private HttpStudent student() {
    URI url = URI.create("http://team.example.org/file");
    return HttpStudent.start(
        new HttpStudent.Settings(
            url,
            Optional.of(url),
            Optional.of(server.getAddress()),
            Duration.ofMillis(5),
            Duration.ofSeconds(5)),
        Clock.systemUTC(),
        history);
  }

  private static long right(List<Exchange> exchanges, Way way) {
    return exchanges.stream().filter(e -> e.way() == way && e.isRight()).count();
  }
}
