package dev.crowdlab.agent;

import static org.awaitility.Awaitility.await;

import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.ToAgent;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

/** A hub that says what a test makes it say, over real TLS and WebSocket. */
public final class StubHub implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** One connection of an agent. */
  public final class Connection implements Session.Listener.AutoDemanding {
    private final List<FromAgent> messages = new CopyOnWriteArrayList<>();
    private volatile Session session;
    private volatile boolean open;

    @Override
    public void onWebSocketOpen(Session opened) {
      session = opened;
      open = true;
      connections.add(this);
    }

    @Override
    public void onWebSocketText(String text) {
      try {
        FromAgent message = frames.readFromAgent(text);
        if (message instanceof FromAgent.Hello hello) {
          greet(hello);
        }
        messages.add(message);
      } catch (Frames.BadFrameException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void onWebSocketClose(int code, String reason, Callback callback) {
      open = false;
      callback.succeed();
    }

    @Override
    public void onWebSocketError(Throwable cause) {
      // Tests break connections on purpose.
      open = false;
    }

    private void greet(FromAgent.Hello hello) {
      if (hello.protocol() > newestProtocol) {
        session.close(Protocol.PROTOCOL_ERROR, "another protocol", Callback.NOOP);
      } else if (welcomes) {
        send(new ToAgent.Welcome(heartbeatMillis));
      }
    }

    void send(ToAgent message) {
      sendRaw(frames.write(message));
    }

    void sendRaw(String text) {
      session.sendText(text, Callback.NOOP);
    }

    boolean isOpen() {
      return open;
    }

    void drop() {
      session.disconnect();
    }

    List<FromAgent> messages() {
      return messages;
    }

    <T extends FromAgent> T await(Class<T> type) {
      return await(type, any -> true);
    }

    /** The first message of a kind, when it comes. */
    <T extends FromAgent> T await(Class<T> type, Predicate<T> which) {
      return org.awaitility.Awaitility.await()
          .atMost(PATIENCE)
          .pollInterval(Duration.ofMillis(10))
          .until(
              () ->
                  messages.stream()
                      .filter(type::isInstance)
                      .map(type::cast)
                      .filter(which)
                      .findFirst(),
              Optional::isPresent)
          .orElseThrow();
    }
  }

  private final Frames frames = new Frames();
  private final Server server = new Server();
  private final ServerConnector connector;
  private final List<Connection> connections = new CopyOnWriteArrayList<>();
  private final List<String> tokens = new CopyOnWriteArrayList<>();
  private volatile boolean welcomes = true;
  private volatile int newestProtocol = Protocol.VERSION;
  private final AtomicInteger refusals = new AtomicInteger();
  private volatile int heartbeatMillis = 100;
  private final String address;

  StubHub(String address, KeyStore keys) throws Exception {
    this(address, 0, keys);
  }

  StubHub(String address, int port, KeyStore keys) throws Exception {
    this.address = address;
    SslContextFactory.Server tls = new SslContextFactory.Server();
    tls.setKeyStore(keys);
    tls.setKeyStorePassword("");
    tls.setSniRequired(false);
    connector = new ServerConnector(server, tls);
    connector.setHost(address);
    connector.setPort(port);
    server.addConnector(connector);
    server.setHandler(
        WebSocketUpgradeHandler.from(
            server,
            container ->
                container.addMapping(
                    Protocol.PATH,
                    (request, response, callback) -> {
                      tokens.add(String.valueOf(request.getHeaders().get("Authorization")));
                      if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                        response.setStatus(401);
                        callback.succeeded();
                        return null;
                      }
                      return new Connection();
                    })));
    server.start();
  }

  String uri() {
    return "wss://" + address + ":" + connector.getLocalPort() + Protocol.PATH;
  }

  /** The {@code Authorization} of each attempt. */
  List<String> tokens() {
    return tokens;
  }

  /** A hub of an earlier operator. */
  void knowsNoLaterProtocolThan(int version) {
    newestProtocol = version;
  }

  void doNotWelcome() {
    welcomes = false;
  }

  void refuse(int times) {
    refusals.set(times);
  }

  int connectionCount() {
    return connections.size();
  }

  /** The n-th connection, counted from one, when it has said Hello. */
  Connection connection(int number) {
    await().atMost(PATIENCE).until(() -> connections.size() >= number);
    Connection connection = connections.get(number - 1);
    connection.await(FromAgent.Hello.class);
    return connection;
  }

  Connection latest() {
    return connection(Math.max(1, connections.size()));
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
