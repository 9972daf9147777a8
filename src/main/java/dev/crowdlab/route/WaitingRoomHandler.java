package dev.crowdlab.route;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Holds, passes on or turns away each request, as the {@link Reception} decides; never blocks. */
final class WaitingRoomHandler extends Handler.Abstract.NonBlocking {

  /** How long a passed-on exchange may be silent: as long as common ingresses allow streams. */
  static final Duration EXCHANGE_IDLE = Duration.ofMinutes(5);

  private static final Logger LOG = LoggerFactory.getLogger(WaitingRoomHandler.class);

  private final Duration hold;
  private final Reception reception;
  private final OneRequestProxy proxy;
  private final Answers answers;
  private final WaitingRoomMetrics metrics;

  WaitingRoomHandler(
      Duration hold,
      Reception reception,
      OneRequestProxy proxy,
      Answers answers,
      WaitingRoomMetrics metrics) {
    this.hold = hold;
    this.reception = reception;
    this.proxy = proxy;
    this.answers = answers;
    this.metrics = metrics;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    if (HttpMethod.CONNECT.is(request.getMethod()) || HttpMethod.TRACE.is(request.getMethod())) {
      response.getHeaders().put(HttpFields.CONNECTION_CLOSE);
      Response.writeError(request, response, callback, HttpStatus.METHOD_NOT_ALLOWED_405);
      return true;
    }
    String path = request.getHttpURI().getCanonicalPath();
    Visitor visitor = new Visitor(request, response, callback);
    switch (reception.admit(
        Request.getServerName(request), path == null ? "/" : path, isPatient(request), visitor)) {
      case Reception.Decision.Wait(Reception.Visit visit) -> visitor.await(visit);
      case Reception.Decision.Proceed(Reception.Visit visit, Endpoint exercise) ->
          visitor.pass(visit, exercise);
      case Reception.Decision.TurnAway(Notice notice) -> visitor.answer(notice);
    }
    return true;
  }

  /**
   * The page's own script asks again anyway, and a WebSocket can't be passed on as one request: its
   * client does better to try again.
   */
  private static boolean isPatient(Request request) {
    return !request.getHeaders().contains("X-CrowdLab-Poll")
        && request.getHeaders().getCSV(HttpHeader.UPGRADE, false).stream()
            .noneMatch(protocol -> protocol.toLowerCase(Locale.ROOT).startsWith("websocket"));
  }

  /** A request in the waiting room. */
  private final class Visitor implements Reception.Guest {
    private final Request request;
    private final Response response;
    private final Callback callback;

    private Visitor(Request request, Response response, Callback callback) {
      this.request = new SharedDemand(request);
      this.response = response;
      this.callback = callback;
    }

    /** Whatever comes first: somebody tells it something, or the hold is over. */
    private void await(Reception.Visit visit) {
      request
          .getComponents()
          .getScheduler()
          .schedule(
              () -> reception.giveUp(visit).ifPresent(this::turnAway),
              hold.toMillis(),
              TimeUnit.MILLISECONDS);
    }

    /** Called by the operator, whose thread has other things to do. */
    @Override
    public void proceed(Reception.Visit visit, Endpoint exercise) {
      request.getComponents().getExecutor().execute(() -> pass(visit, exercise));
    }

    @Override
    public void turnAway(Notice notice) {
      request.getComponents().getExecutor().execute(() -> answer(notice));
    }

    private void answer(Notice notice) {
      metrics.of(notice).increment();
      answers.send(notice, request, response, callback);
    }

    private void pass(Reception.Visit visit, Endpoint exercise) {
      request
          .getConnectionMetaData()
          .getConnection()
          .getEndPoint()
          .setIdleTimeout(EXCHANGE_IDLE.toMillis());
      Ending ending = new Ending(visit, exercise);
      try {
        proxy.pass(request, response, exercise, ending);
      } catch (IllegalArgumentException e) {
        ending.failed(e, false);
      }
    }

    /** What is left to do when the exchange is over. */
    private final class Ending implements OneRequestProxy.End {
      private final Reception.Visit visit;
      private final Endpoint exercise;

      private Ending(Reception.Visit visit, Endpoint exercise) {
        this.visit = visit;
        this.exercise = exercise;
      }

      @Override
      public void answered() {
        reception.leave(visit);
        metrics.proxied.increment();
        Leftovers.drain(request, callback);
      }

      @Override
      public void failed(Throwable failure, boolean reached) {
        reception.leave(visit);
        LOG.debug("a request to {} got no whole answer", exercise, failure);
        if (response.isCommitted()) {
          metrics.broken.increment();
          callback.failed(failure);
        } else {
          answer(reached ? Notice.BROKEN : Notice.UNREACHABLE);
        }
      }
    }
  }
}
