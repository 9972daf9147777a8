package dev.crowdlab.e2e;

import dev.crowdlab.oracle.Exchange;
import dev.crowdlab.oracle.Exchange.Answer;
import dev.crowdlab.oracle.Exchange.Way;
import dev.crowdlab.oracle.History;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.exceptions.UpgradeException;
import org.eclipse.jetty.websocket.client.WebSocketClient;

/**
 * A student with an open WebSocket, whose exercise says each message again. When it breaks, it is
 * opened again, as a page's script would do.
 */
final class SocketStudent implements AutoCloseable {

  private static final Duration PAUSE = Duration.ofMillis(200);

  private final WebSocketClient client;
  private final URI uri;
  private final Duration patience;
  private final History history;
  private final Clock clock = Clock.systemUTC();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Thread thread;

  /** The last of its messages stays; a student waits for one at a time. */
  private final BlockingQueue<String> messages = new ArrayBlockingQueue<>(16);

  private Session session;

  private SocketStudent(URI uri, InetSocketAddress ingress, Duration patience, History history) {
    HttpClient http = new HttpClient();
    http.setSocketAddressResolver(
        (host, port, context, promise) -> promise.succeeded(List.of(ingress)));
    http.setConnectTimeout(patience.toMillis());
    this.client = new WebSocketClient(http);
    this.uri = uri;
    this.patience = patience;
    this.history = history;
    LifeCycle.start(client);
    this.thread = Thread.ofVirtual().name("student-websocket").start(this::talk);
  }

  static SocketStudent start(
      URI uri, InetSocketAddress ingress, Duration patience, History history) {
    return new SocketStudent(uri, ingress, patience, history);
  }

  private void talk() {
    try {
      int number = 0;
      do {
        if (session == null || !session.isOpen()) {
          open();
        } else {
          say("message " + ++number);
        }
      } while (!stopped.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Only a socket that did not come about counts: the answer is to the first message. */
  private void open() throws InterruptedException {
    Instant began = clock.instant();
    try {
      session =
          client
              .connect(new Listener(messages), uri)
              .get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      history.add(
          new Exchange(Way.WEBSOCKET, began, clock.instant(), answer(cause), cause.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Answer answer(Throwable cause) {
    return switch (cause) {
      case UpgradeException refused when refused.getResponseStatusCode() >= 500 ->
          Answer.SERVER_ERROR;
      case UpgradeException refused when refused.getResponseStatusCode() > 0 -> Answer.OTHER_STATUS;
      case ConnectException nobody -> Answer.REFUSED;
      default -> Answer.NONE;
    };
  }

  private void say(String message) throws InterruptedException {
    messages.clear();
    Instant began = clock.instant();
    session.sendText(message, Callback.NOOP);
    Instant giveUp = began.plus(patience);
    String echo = null;
    while (echo == null && session.isOpen() && clock.instant().isBefore(giveUp)) {
      echo = messages.poll(50, TimeUnit.MILLISECONDS);
    }
    Answer answer = echo == null ? Answer.NONE : echo.equals(message) ? Answer.RIGHT : Answer.WRONG;
    history.add(
        new Exchange(
            Way.WEBSOCKET,
            began,
            clock.instant(),
            answer,
            answer == Answer.RIGHT ? "" : "'" + echo + "' to '" + message + "'"));
    if (answer == Answer.NONE) {
      session.disconnect();
      session = null;
    }
  }

  /** Public, as Jetty calls it from elsewhere. */
  public static final class Listener implements Session.Listener.AutoDemanding {
    private final BlockingQueue<String> messages;

    Listener(BlockingQueue<String> messages) {
      this.messages = messages;
    }

    @Override
    public void onWebSocketText(String message) {
      messages.offer(message);
    }

    /** Whoever waits for an answer sees the socket closed. */
    @Override
    public void onWebSocketError(Throwable cause) {}
  }

  @Override
  public void close() {
    stopped.countDown();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    LifeCycle.stop(client);
  }
}
