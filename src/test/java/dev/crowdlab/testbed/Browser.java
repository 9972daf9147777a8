package dev.crowdlab.testbed;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.client.ContentResponse;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.StringRequestContent;
import org.eclipse.jetty.util.component.LifeCycle;

/**
 * A student's browser: opens the URLs of exercises, each of whose names resolves to the ingress. It
 * keeps no cookies and follows no redirects.
 */
public final class Browser implements AutoCloseable {
  private static final Duration BOUND = Duration.ofSeconds(30);

  private final HttpClient client = new HttpClient();

  /**
   * @param ingress what every name resolves to, whatever port its URL has
   */
  public Browser(InetSocketAddress ingress) {
    client.setSocketAddressResolver(
        (host, port, context, promise) -> promise.succeeded(List.of(ingress)));
    client.setFollowRedirects(false);
    client.setConnectTimeout(5_000);
    try {
      client.start();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * What came back.
   *
   * @param retryAfter the Retry-After header, empty without
   */
  public record Page(int status, String body, String retryAfter) {}

  public Page get(String url) {
    return send(client.newRequest(url));
  }

  public Page post(String url, String body) {
    return send(client.POST(url).body(new StringRequestContent("text/plain", body)));
  }

  /** As {@link #get}, accepting HTML as a browser does. */
  public Page open(String url) {
    return send(client.newRequest(url).headers(headers -> headers.put("Accept", "text/html")));
  }

  /** Asks again until an exercise answers: what a student who reloads sees. */
  public Page untilAnswered(String url, Duration bound) {
    Instant giveUp = Instant.now().plus(bound);
    while (true) {
      Page page = get(url);
      if (page.status() == 200) {
        return page;
      }
      if (Instant.now().isAfter(giveUp)) {
        throw new IllegalStateException("no answer after " + bound + ": " + page);
      }
    }
  }

  @Override
  public void close() {
    LifeCycle.stop(client);
  }

  /** A request without an answer is status 0 with the reason as its body. */
  private static Page send(Request request) {
    try {
      ContentResponse response = request.timeout(BOUND.toMillis(), TimeUnit.MILLISECONDS).send();
      String retryAfter = response.getHeaders().get("Retry-After");
      return new Page(
          response.getStatus(),
          response.getContentAsString(),
          retryAfter == null ? "" : retryAfter);
    } catch (ExecutionException | TimeoutException e) {
      return new Page(0, e.toString(), "");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
