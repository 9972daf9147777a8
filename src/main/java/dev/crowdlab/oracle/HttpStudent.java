package dev.crowdlab.oracle;

import dev.crowdlab.oracle.Exchange.Answer;
import dev.crowdlab.oracle.Exchange.Way;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.eclipse.jetty.client.ContentResponse;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.StringRequestContent;
import org.eclipse.jetty.util.component.LifeCycle;

/**
 * A student who never rests: appends one number after the other to a file (POST), with a pause
 * after each answer, and beside that reads (GET) again and again. A reading waits for no other
 * reading, as somebody who opens the page anew does not: so what a dead machine has swallowed hides
 * no answer that the next one would give (Tene's <i>coordinated omission</i>). Where the exercise
 * has such a file, every reading is compared with what was acknowledged.
 */
public final class HttpStudent implements AutoCloseable {

  /** Readings that wait for their answers; then there is no further one. */
  private static final int MOST_UNDER_WAY = 256;

  private final Settings settings;
  private final InstantSource clock;
  private final History history;
  private final HttpClient client = new HttpClient();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final List<Thread> threads = new ArrayList<>();
  private final List<Long> acknowledged = new ArrayList<>();
  private final AtomicLong sent = new AtomicLong();
  private final Semaphore underWay = new Semaphore(MOST_UNDER_WAY);

  /**
   * Where and how a student asks.
   *
   * @param read what is read
   * @param append where a POST appends its body as a line to what {@code read} shows; empty: only
   *     reads, and every success is right
   * @param ingress what the URL's name is reached at; empty: what it resolves to
   * @param pause from one reading to the next, and after each answer to a POST
   * @param patience with one request; then it has no answer
   */
  public record Settings(
      URI read,
      Optional<URI> append,
      Optional<InetSocketAddress> ingress,
      Duration pause,
      Duration patience) {}

  private HttpStudent(Settings settings, InstantSource clock, History history) {
    this.settings = settings;
    this.clock = clock;
    this.history = history;
  }

  /** Starts asking; what comes back is added to the history. */
  public static HttpStudent start(Settings settings, InstantSource clock, History history) {
    HttpStudent student = new HttpStudent(settings, clock, history);
    student.open();
    return student;
  }

  private void open() {
    settings
        .ingress()
        .ifPresent(
            address ->
                client.setSocketAddressResolver(
                    (host, port, context, promise) -> promise.succeeded(List.of(address))));
    client.setFollowRedirects(false);
    client.setConnectTimeout(settings.patience().toMillis());
    client.setMaxConnectionsPerDestination(MOST_UNDER_WAY + 1);
    try {
      client.start();
    } catch (Exception e) {
      throw new IllegalStateException("the student's client cannot be started", e);
    }
    threads.add(
        Thread.ofVirtual().name("student-get").start(() -> untilStopped(this::startReading)));
    settings
        .append()
        .ifPresent(
            uri ->
                threads.add(
                    Thread.ofVirtual()
                        .name("student-post")
                        .start(() -> untilStopped(() -> append(uri)))));
  }

  private void untilStopped(Runnable request) {
    try {
      do {
        request.run();
      } while (!stopped.await(settings.pause().toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void startReading() {
    underWay.acquireUninterruptibly();
    Thread.ofVirtual()
        .name("student-reading")
        .start(
            () -> {
              try {
                read();
              } finally {
                underWay.release();
              }
            });
  }

  private void read() {
    List<Long> before = acknowledged();
    exchange(
        Way.GET,
        client.newRequest(settings.read()),
        page ->
            settings
                .append()
                .flatMap(uri -> StudentJudge.wrong(page, before, sent.get()))
                .orElse(""));
  }

  private void append(URI uri) {
    long number = sent.incrementAndGet();
    // The full stop tells a whole number from one that was cut off.
    Request request = client.POST(uri).body(new StringRequestContent("text/plain", number + "."));
    if (exchange(Way.POST, request, page -> "") == Answer.RIGHT) {
      synchronized (acknowledged) {
        acknowledged.add(number);
      }
    }
  }

  /**
   * What is wrong with the file that this student appends to, as it lies where it is kept; empty
   * when nothing is.
   *
   * @param stored reads it
   */
  public Optional<String> wrong(Supplier<String> stored) {
    List<Long> before = acknowledged();
    return StudentJudge.wrong(stored.get(), before, sent.get());
  }

  private List<Long> acknowledged() {
    synchronized (acknowledged) {
      return List.copyOf(acknowledged);
    }
  }

  private interface Check {
    /** What is wrong with a page; empty when nothing is. */
    String wrong(String page);
  }

  private Answer exchange(Way way, Request request, Check check) {
    Instant began = clock.instant();
    Answer answer;
    String detail;
    try {
      ContentResponse response =
          request.timeout(settings.patience().toMillis(), TimeUnit.MILLISECONDS).send();
      answer = answer(response.getStatus());
      detail = "status " + response.getStatus();
      if (answer == Answer.RIGHT) {
        detail = check.wrong(response.getContentAsString());
        answer = detail.isEmpty() ? Answer.RIGHT : Answer.WRONG;
      }
    } catch (ExecutionException e) {
      answer = e.getCause() instanceof ConnectException ? Answer.REFUSED : Answer.NONE;
      detail = String.valueOf(e.getCause());
    } catch (TimeoutException e) {
      answer = Answer.NONE;
      detail = "no answer in time";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Answer.NONE;
    }
    history.add(new Exchange(way, began, clock.instant(), answer, detail));
    return answer;
  }

  private static Answer answer(int status) {
    if (status >= 500) {
      return Answer.SERVER_ERROR;
    }
    return status / 100 == 2 ? Answer.RIGHT : Answer.OTHER_STATUS;
  }

  /** Stops after the present requests. */
  @Override
  public void close() {
    stopped.countDown();
    try {
      for (Thread thread : threads) {
        thread.join();
      }
      underWay.acquire(MOST_UNDER_WAY);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      LifeCycle.stop(client);
    }
  }
}
