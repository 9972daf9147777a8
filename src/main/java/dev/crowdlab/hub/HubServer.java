package dev.crowdlab.hub;

import dev.crowdlab.hub.HubIdentity.Material;
import dev.crowdlab.hub.HubMetrics.Refusal;
import dev.crowdlab.protocol.Protocol;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.websocket.server.ServerUpgradeRequest;
import org.eclipse.jetty.websocket.server.ServerUpgradeResponse;
import org.eclipse.jetty.websocket.server.ServerWebSocketContainer;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agents' WebSocket endpoint: TLS 1.2 and 1.3, one path, tokens checked before the upgrade. It
 * accepts nobody until {@link #open}.
 */
final class HubServer implements AutoCloseable {

  /** Before the upgrade nobody needs longer. */
  private static final Duration HTTP_IDLE = Duration.ofSeconds(15);

  /** The detector is faster; this is for sessions that it does not watch. */
  private static final Duration SOCKET_IDLE = Duration.ofSeconds(60);

  private static final Duration REFUSALS_SAID_EVERY = Duration.ofSeconds(30);

  private static final int MAX_THREADS = 64;
  private static final int MAX_HEADER_BYTES = 8 * 1024;

  /** One frame of ours is in flight; the rest is for answers to pings. */
  private static final int MAX_OUTGOING_FRAMES = 16;

  private static final Pattern UID = Pattern.compile("[A-Za-z0-9-]{1,64}");
  private static final Pattern BEARER = Pattern.compile("Bearer ([A-Za-z0-9_-]{16,128})");

  private static final Logger log = LoggerFactory.getLogger(HubServer.class);

  private final HubSettings settings;
  private final Tokens tokens;
  private final HubAgents agents;
  private final HubMetrics metrics;
  private final Timers timers;
  private final HubClock clock;
  private final Sparse sparse = new Sparse(REFUSALS_SAID_EVERY);
  private @Nullable Server server;
  private SslContextFactory.@Nullable Server tls;
  private @Nullable ServerConnector connector;
  private @Nullable ExecutorService virtual;

  HubServer(
      HubSettings settings,
      Tokens tokens,
      HubAgents agents,
      HubMetrics metrics,
      Timers timers,
      HubClock clock) {
    this.settings = settings;
    this.tokens = tokens;
    this.agents = agents;
    this.metrics = metrics;
    this.timers = timers;
    this.clock = clock;
  }

  /**
   * Listens from now on.
   *
   * @throws IOException when it cannot
   */
  synchronized void open(Material material) throws IOException {
    SslContextFactory.Server factory = new SslContextFactory.Server();
    factory.setIncludeProtocols("TLSv1.3", "TLSv1.2");
    factory.setRenegotiationAllowed(false);
    factory.setSniRequired(false);
    use(factory, material);
    QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, 4);
    threads.setName("crowdlab-hub");
    ExecutorService blocking =
        Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("crowdlab-hub-virtual-", 0).factory());
    threads.setVirtualThreadsExecutor(blocking);
    Server jetty = new Server(threads);
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setRequestHeaderSize(MAX_HEADER_BYTES);
    // Agents dial addresses as often as names: TLS has checked whom they reached.
    http.addCustomizer(new SecureRequestCustomizer(false));
    ServerConnector secure =
        new ServerConnector(
            jetty, new SslConnectionFactory(factory, "http/1.1"), new HttpConnectionFactory(http));
    secure.setHost(settings.listen().getHostString());
    secure.setPort(settings.listen().getPort());
    secure.setIdleTimeout(HTTP_IDLE.toMillis());
    secure.setReuseAddress(true);
    jetty.addConnector(secure);
    jetty.addBean(new NetworkConnectionLimit(settings.maxConnections(), secure));
    jetty.setErrorHandler(
        (request, response, callback) -> {
          callback.succeeded();
          return true;
        });
    jetty.setHandler(WebSocketUpgradeHandler.from(jetty, this::configure));
    jetty.setStopTimeout(0);
    try {
      jetty.start();
    } catch (Exception e) {
      stop(jetty);
      blocking.shutdownNow();
      throw new IOException("cannot listen on " + settings.listen(), e);
    }
    server = jetty;
    tls = factory;
    connector = secure;
    virtual = blocking;
    log.info("the hub listens on {}", new InetSocketAddress(secure.getHost(), port()));
  }

  /** The port it listens on; -1 when it does not. */
  synchronized int port() {
    return connector == null ? -1 : connector.getLocalPort();
  }

  /**
   * New connections get this certificate; those that are open stay.
   *
   * @throws GeneralSecurityException when it cannot be used: the old one stays
   */
  synchronized void renew(Material material) throws GeneralSecurityException {
    if (tls == null) {
      return;
    }
    try {
      tls.reload(factory -> use(factory, material));
    } catch (Exception e) {
      throw new GeneralSecurityException("cannot use the new certificate", e);
    }
  }

  private static void use(SslContextFactory factory, Material material) {
    factory.setKeyStore(material.keyStore());
    factory.setKeyStorePassword(material.password());
    factory.setKeyManagerPassword(material.password());
  }

  private void configure(ServerWebSocketContainer container) {
    container.setMaxFrameSize(Protocol.MAX_FRAME_BYTES);
    container.setMaxTextMessageSize(Protocol.MAX_FRAME_BYTES);
    container.setMaxBinaryMessageSize(1);
    container.setMaxOutgoingFrames(MAX_OUTGOING_FRAMES);
    container.setIdleTimeout(SOCKET_IDLE);
    container.addMapping(Protocol.PATH, this::upgrade);
  }

  private @Nullable Object upgrade(
      ServerUpgradeRequest request, ServerUpgradeResponse response, Callback callback) {
    // No compression: a small frame must not become a large one.
    response.setExtensions(List.of());
    String uid = request.getHeaders().get(Protocol.VM_HEADER);
    String authorization = request.getHeaders().get(HttpHeader.AUTHORIZATION);
    Matcher bearer = BEARER.matcher(authorization == null ? "" : authorization);
    if (uid == null || !UID.matcher(uid).matches() || !bearer.matches()) {
      return refuse(response, callback, Refusal.MALFORMED, HttpStatus.UNAUTHORIZED_401);
    }
    Optional<Tokens.Accepted> accepted = tokens.verify(uid, bearer.group(1));
    if (accepted.isEmpty()) {
      // Anybody can cause it, as often as they like: the metric counts, the log gives an example.
      sparse
          .turn(clock.nano())
          .ifPresent(
              others ->
                  log.info(
                      "an agent was refused: unknown VM {}, or a wrong token; and {} others since"
                          + " the last such line",
                      uid,
                      others));
      return refuse(response, callback, Refusal.UNAUTHENTICATED, HttpStatus.UNAUTHORIZED_401);
    }
    return new JettyAgentSocket(agents, accepted.get(), timers);
  }

  private @Nullable Object refuse(
      ServerUpgradeResponse response, Callback callback, Refusal cause, int status) {
    metrics.refused(cause);
    response.setStatus(status);
    callback.succeeded();
    return null;
  }

  /** Closes every connection and stops to listen; may be opened again. */
  @Override
  public synchronized void close() {
    if (server != null) {
      stop(server);
      log.info("the hub stopped to listen");
    }
    if (virtual != null) {
      virtual.shutdownNow();
    }
    server = null;
    tls = null;
    connector = null;
    virtual = null;
  }

  private static void stop(Server jetty) {
    try {
      jetty.stop();
    } catch (Exception e) {
      log.warn("the hub's server did not stop in order", e);
    }
    jetty.destroy();
  }
}
