package dev.crowdlab.route;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * Passes one request to an exercise and its answer back, both streamed and neither kept, and has
 * the connections on both sides closed after it. Headers go through as they are but for those of
 * the hop: what the ingress said about the client ({@code X-Forwarded-*}) stays true.
 */
final class OneRequestProxy {

  /** How the exchange ended; called once. */
  interface End {

    /** The whole answer went to the client. */
    void answered();

    /**
     * It did not.
     *
     * @param reached whether the exercise may have seen the request
     */
    void failed(Throwable failure, boolean reached);
  }

  /** RFC 9110, section 7.6.1, and what older clients send. */
  private static final Set<String> HOP_BY_HOP =
      Set.of(
          "connection",
          "keep-alive",
          "proxy-authenticate",
          "proxy-authorization",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  /** What a client can't have removed by naming it in Connection, because others rely on it. */
  private static final Set<String> END_TO_END =
      Set.of("host", "content-length", "authorization", "cookie", "forwarded", "x-real-ip");

  private static final Pattern STRAY_PERCENT = Pattern.compile("%(?![0-9a-fA-F]{2})");

  private final HttpClient client;

  OneRequestProxy(HttpClient client) {
    this.client = client;
  }

  /** Sends the request to the exercise; everything happens on Jetty's threads. */
  void pass(Request request, Response response, Endpoint exercise, End end) {
    org.eclipse.jetty.client.Request onward =
        newRequest(exercise, request.getHttpURI().getPathQuery())
            .method(request.getMethod())
            .version(HttpVersion.HTTP_1_1)
            .headers(headers -> copyEndToEnd(request.getHeaders(), headers));
    if (hasBody(request)) {
      onward.body(new Body(request));
    }
    Exchange exchange = new Exchange(request, response, onward, end);
    onward
        // Before the first byte goes, not after: that the machine hung up may be told earlier than
        // that it had the request, and who is told that it had not may send it again.
        .onRequestHeaders(_ -> exchange.reached = true)
        .onRequestSuccess(_ -> exchange.requestDone = true)
        .onRequestFailure((_, _) -> exchange.requestDone = true)
        .onResponseContentSource(exchange::answer)
        .send(exchange::complete);
  }

  /**
   * The target goes out byte for byte, also where it is no URI by the book; but for a stray percent
   * sign in a query, which Jetty's client can't send and which comes to mean itself.
   */
  private org.eclipse.jetty.client.Request newRequest(Endpoint exercise, String target) {
    try {
      return client.newRequest(new URI("http://" + exercise + target));
    } catch (URISyntaxException e) {
      return client
          .newRequest(exercise.host(), exercise.port())
          .path(STRAY_PERCENT.matcher(target).replaceAll("%25"));
    }
  }

  private static boolean hasBody(Request request) {
    return request.getHeaders().contains(HttpHeader.CONTENT_LENGTH)
        || request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING);
  }

  private static void copyEndToEnd(HttpFields from, HttpFields.Mutable to) {
    to.clear();
    Set<String> named = new HashSet<>();
    for (String name : from.getCSV(HttpHeader.CONNECTION, false)) {
      String lower = name.toLowerCase(Locale.ROOT);
      if (!END_TO_END.contains(lower) && !lower.startsWith("x-forwarded-")) {
        named.add(lower);
      }
    }
    for (HttpField field : from) {
      String lower = field.getLowerCaseName();
      // Expect is answered by us: the body is asked for once the exercise takes it.
      if (!HOP_BY_HOP.contains(lower) && !named.contains(lower) && !lower.equals("expect")) {
        to.add(field);
      }
    }
    to.put(HttpFields.CONNECTION_CLOSE);
  }

  /** The client's body, read when the exercise takes it. */
  private static final class Body implements org.eclipse.jetty.client.Request.Content {
    private final Request request;

    private Body(Request request) {
      this.request = request;
    }

    @Override
    public long getLength() {
      return request.getLength();
    }

    /** The header goes through as it is, or not at all. */
    @Override
    public @Nullable String getContentType() {
      return null;
    }

    @Override
    public Content.Chunk read() {
      return request.read();
    }

    @Override
    public void demand(Runnable available) {
      request.demand(available);
    }

    @Override
    public void fail(Throwable failure) {
      // The exercise takes no more of it; the client may still get the answer.
    }
  }

  /** Joins the two halves: the answer copied to the client, and the exchange with the exercise. */
  private static final class Exchange {
    private final Request request;
    private final Response response;
    private final org.eclipse.jetty.client.Request onward;
    private final End end;
    private final AtomicInteger halvesLeft = new AtomicInteger(1);
    private volatile boolean reached;
    private volatile boolean requestDone;
    private volatile boolean copied;
    private volatile @Nullable Throwable failure;

    private Exchange(
        Request request, Response response, org.eclipse.jetty.client.Request onward, End end) {
      this.request = request;
      this.response = response;
      this.onward = onward;
      this.end = end;
    }

    private void answer(org.eclipse.jetty.client.Response answer, Content.Source content) {
      halvesLeft.incrementAndGet();
      response.setStatus(answer.getStatus());
      copyEndToEnd(answer.getHeaders(), response.getHeaders());
      if (needsChunks(answer)) {
        // Without it the end of the connection would be the answer's, also of a broken one.
        response.getHeaders().put(HttpHeader.TRANSFER_ENCODING, HttpHeaderValue.CHUNKED);
      }
      Content.copy(content, response, Callback.from(this::copied, this::copyFailed));
    }

    private boolean needsChunks(org.eclipse.jetty.client.Response answer) {
      return request.getConnectionMetaData().getHttpVersion() == HttpVersion.HTTP_1_1
          && !HttpMethod.HEAD.is(request.getMethod())
          && answer.getStatus() != HttpStatus.NO_CONTENT_204
          && answer.getStatus() != HttpStatus.NOT_MODIFIED_304
          && !answer.getHeaders().contains(HttpHeader.CONTENT_LENGTH);
    }

    private void copied() {
      copied = true;
      if (!requestDone) {
        // It answered without taking the whole body, and wants no more of it.
        var _ = onward.abort(new IllegalStateException("the exercise has answered"));
      }
      finish();
    }

    private void copyFailed(Throwable cause) {
      failure = cause;
      var _ = onward.abort(cause);
      finish();
    }

    private void complete(org.eclipse.jetty.client.Result result) {
      if (failure == null) {
        failure = result.getFailure();
      }
      finish();
    }

    private void finish() {
      if (halvesLeft.decrementAndGet() > 0) {
        return;
      }
      Throwable cause = failure;
      if (copied) {
        end.answered();
      } else {
        end.failed(
            cause == null ? new IllegalStateException("the answer was not copied") : cause,
            reached);
      }
    }
  }
}
