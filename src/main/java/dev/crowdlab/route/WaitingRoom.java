package dev.crowdlab.route;

import dev.crowdlab.core.TeamRef;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.ProxyAuthenticationProtocolHandler;
import org.eclipse.jetty.client.RedirectProtocolHandler;
import org.eclipse.jetty.client.WWWAuthenticationProtocolHandler;
import org.eclipse.jetty.client.transport.HttpClientTransportOverHTTP;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.http.HttpCookieStore;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.io.ArrayByteBufferPool;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;

/**
 * The server that students' requests reach while their team is between machines. It holds a request
 * unread for a moment and, once the exercise is healthy, passes that one request on; when it takes
 * longer, a browser gets a page that returns by itself and every other client 503 with Retry-After.
 *
 * <p>It is no open proxy: requests go only where {@link #ready} said. It must be reachable for the
 * ingress only, and trusts its word on hosts.
 */
public final class WaitingRoom implements Lobby, AutoCloseable {

  /** For the time until the reconciler has looked after every team once. */
  private static final Duration START_GRACE = Duration.ofSeconds(10);

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
  private static final int MAX_HEADER_BYTES = 32 << 10;
  private static final int THREADS = 16;
  private static final long MAX_POOLED_BYTES = 32L << 20;

  private final WaitingRoomSettings settings;
  private final Reception reception;
  private final Server server;
  private final ServerConnector connector;

  public WaitingRoom(WaitingRoomSettings settings, InstantSource clock, MeterRegistry meters) {
    this.settings = settings;
    this.reception = new Reception(settings, clock, START_GRACE);
    QueuedThreadPool threads = new QueuedThreadPool(THREADS, 2);
    threads.setName("waiting-room");
    threads.setDaemon(true);
    this.server =
        new Server(
            threads,
            new ScheduledExecutorScheduler("waiting-room-timer", true),
            new ArrayByteBufferPool(
                0, -1, 1 << 16, 64, MAX_POOLED_BYTES / 2, MAX_POOLED_BYTES / 2));
    this.connector = connector(server, settings);
    server.addConnector(connector);
    server.addBean(new NetworkConnectionLimit(settings.maxHeld() * 2 + 64, connector));
    HttpClient client = client(server);
    server.addBean(client);
    server.setErrorHandler(new PlainErrors());
    server.setHandler(
        new WaitingRoomHandler(
            settings.hold(),
            reception,
            new OneRequestProxy(client),
            new Answers(),
            new WaitingRoomMetrics(meters, reception)));
  }

  /**
   * Begins to listen.
   *
   * @throws IOException when it can't
   */
  public void start() throws IOException {
    try {
      server.start();
    } catch (Exception e) {
      throw new IOException("the waiting room can't listen on " + settings.listen(), e);
    }
  }

  /** The port that it listens on. */
  public int port() {
    return connector.getLocalPort();
  }

  Reception reception() {
    return reception;
  }

  @Override
  public void waiting(TeamRef team, String host, String path, Routes.Why why) {
    reception.waiting(team, host, path, why);
  }

  @Override
  public void ready(TeamRef team, String host, String path, Endpoint exercise) {
    reception.ready(team, host, path, exercise);
  }

  @Override
  public void gone(TeamRef team) {
    reception.gone(team);
  }

  /** Stops at once; whoever still waits is cut off. */
  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException("the waiting room did not stop", e);
    }
  }

  private static ServerConnector connector(Server server, WaitingRoomSettings settings) {
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setSendDateHeader(false);
    http.setRequestHeaderSize(MAX_HEADER_BYTES);
    http.setResponseHeaderSize(MAX_HEADER_BYTES);
    http.setHttpCompliance(HttpCompliance.RFC9110);
    // What a path means is the exercise's affair; here it only chooses among the teams of a host.
    http.setUriCompliance(
        UriCompliance.RFC3986.with(
            "PASS_ON",
            UriCompliance.Violation.AMBIGUOUS_EMPTY_SEGMENT,
            UriCompliance.Violation.AMBIGUOUS_PATH_ENCODING,
            UriCompliance.Violation.AMBIGUOUS_PATH_PARAMETER,
            UriCompliance.Violation.AMBIGUOUS_PATH_SEGMENT,
            UriCompliance.Violation.AMBIGUOUS_PATH_SEPARATOR,
            UriCompliance.Violation.SUSPICIOUS_PATH_CHARACTERS));
    ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
    InetSocketAddress listen = settings.listen();
    connector.setHost(listen.getAddress().getHostAddress());
    connector.setPort(listen.getPort());
    // Longer than a hold: a held connection is silent.
    connector.setIdleTimeout(settings.hold().plusSeconds(30).toMillis());
    return connector;
  }

  /** A client that adds nothing of its own: no cookies, redirects, decoding or credentials. */
  private static HttpClient client(Server server) {
    ClientConnector connector = new ClientConnector();
    connector.setExecutor(server.getThreadPool());
    connector.setScheduler(server.getScheduler());
    connector.setByteBufferPool(server.getByteBufferPool());
    connector.setSelectors(1);
    connector.setConnectTimeout(CONNECT_TIMEOUT);
    HttpClient client = new HttpClient(new HttpClientTransportOverHTTP(connector));
    // It brings these when it starts.
    client.addEventListener(
        new LifeCycle.Listener() {
          @Override
          public void lifeCycleStarted(LifeCycle event) {
            client.getContentDecoderFactories().clear();
            client.getProtocolHandlers().remove(RedirectProtocolHandler.NAME);
            client.getProtocolHandlers().remove(WWWAuthenticationProtocolHandler.NAME);
            client.getProtocolHandlers().remove(ProxyAuthenticationProtocolHandler.NAME);
          }
        });
    client.setFollowRedirects(false);
    client.setHttpCookieStore(new HttpCookieStore.Empty());
    client.setUserAgentField(null);
    client.setDefaultRequestContentType(null);
    client.setMaxRequestHeadersSize(MAX_HEADER_BYTES);
    client.setMaxResponseHeadersSize(MAX_HEADER_BYTES);
    client.setIdleTimeout(WaitingRoomHandler.EXCHANGE_IDLE.toMillis());
    client.setDestinationIdleTimeout(Duration.ofMinutes(1).toMillis());
    client.setMaxConnectionsPerDestination(Integer.MAX_VALUE);
    return client;
  }
}
