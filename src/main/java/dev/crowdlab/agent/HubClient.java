package dev.crowdlab.agent;

import dev.crowdlab.protocol.Frames;
import dev.crowdlab.protocol.FromAgent;
import dev.crowdlab.protocol.FromAgent.Notice;
import dev.crowdlab.protocol.Protocol;
import dev.crowdlab.protocol.ToAgent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.WebSocketHandshakeException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The agent's connection to the hub: made again for ever, with jitter; watched for silence; with
 * heartbeats from a thread of its own that nothing else can hold up.
 */
final class HubClient implements Reporter, AutoCloseable {

  private static final Logger LOG = Logger.getLogger(HubClient.class.getName());
  private static final Duration CONNECT = Duration.ofSeconds(10);
  private static final String CONNECTED = "connected";

  /**
   * How often the hub is asked for a sign of life, and how long it may owe it.
   *
   * @param ping between two pings
   * @param silence without any frame, after which the connection is given up
   * @param welcome how long the hub may take to answer Hello
   */
  record Patience(Duration ping, Duration silence, Duration welcome) {
    static final Patience STANDARD =
        new Patience(Duration.ofSeconds(4), Duration.ofSeconds(12), Duration.ofSeconds(10));
  }

  /** Where orders go, and what Hello tells. */
  interface Duties {

    FromAgent.Hello hello() throws IOException;

    void run(ToAgent.Run run);

    void stop(ToAgent.Stop stop);

    void prepare(ToAgent.Prepare prepare);

    /** Takes everything of ours away, this process last; at once, in its own time. */
    void uninstall();

    /** What the machine's owner asked for and still holds, or that the agent is being stopped. */
    Optional<Notice.Kind> voice() throws IOException;
  }

  private final URI hub;
  private final String vmUid;
  private final Token token;
  private final HttpClient http;
  private final Frames frames;
  private final Duties duties;
  private final Patience patience;
  private final Backoff backoff;
  private final Executor executor;

  private final ScheduledExecutorService heart =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("heart").factory());
  private final CompletableFuture<Void> closing = new CompletableFuture<>();
  private final CompletableFuture<Void> firstWelcome = new CompletableFuture<>();
  private @Nullable ScheduledFuture<?> beats;
  private volatile Duration beat = Duration.ZERO;
  private long pinged = System.nanoTime();
  private @Nullable ScheduledFuture<?> watching;

  /** Held from where the voice is read or kept until it is on its way. */
  private final Object voice = new Object();

  private volatile @Nullable HubSession session;
  private volatile String state = "not connected yet";
  private volatile List<Cidr> addresses = List.of();
  private final long began = System.nanoTime();

  HubClient(
      AgentConfig config,
      Token token,
      HubTrust trust,
      Frames frames,
      Duties duties,
      Patience patience,
      Backoff backoff,
      Executor executor) {
    this.hub = config.hub();
    this.vmUid = config.vmUid();
    this.token = token;
    this.frames = frames;
    this.duties = duties;
    this.patience = patience;
    this.backoff = backoff;
    this.executor = executor;
    this.http = HttpClient.newBuilder().sslContext(trust.context()).connectTimeout(CONNECT).build();
  }

  void start() {
    Thread.ofPlatform().daemon().name("hub").start(this::connectForEver);
    long ping = patience.ping().toMillis();
    watching = heart.scheduleAtFixedRate(safely(this::watch), ping, ping, TimeUnit.MILLISECONDS);
  }

  /** For people: whether there is a connection, or why not. */
  String state() {
    return state;
  }

  /** The hub's addresses as they were last resolved. */
  List<Cidr> addresses() {
    return addresses;
  }

  /** Resolves the hub's name anew; keeps what was known when that fails. */
  void resolve() {
    try {
      String host = hub.getHost();
      addresses =
          Arrays.stream(InetAddress.getAllByName(host.replaceAll("[\\[\\]]", "")))
              .flatMap(address -> Cidr.parse(address.getHostAddress()).stream())
              .toList();
    } catch (UnknownHostException e) {
      LOG.fine("the hub's name is not known: " + e.getMessage());
    }
  }

  @Override
  public void report(FromAgent.TeamReport report) {
    send(report);
  }

  @Override
  public void gone(FromAgent.TeamGone gone) {
    send(gone);
  }

  /** Says what was found out of the machine's disk; Hello says it at the next connection. */
  void disk(FromAgent.DiskState state) {
    send(new FromAgent.Disk(state));
  }

  @Override
  public void prepared(FromAgent.Prepared prepared) {
    send(prepared);
  }

  /** Keeps what is to be said, so that {@link Duties#voice} tells it from then on. */
  interface Keeping {
    void keep() throws IOException;
  }

  /**
   * Says what the machine's owner asked for, or that the agent is being stopped, if the hub can
   * hear it now; at a new connection it is said again. The last word that the hub hears is the one
   * that is kept, whatever is said meanwhile because of a new connection.
   *
   * @throws IOException when it cannot be kept; nothing is said then
   */
  boolean notice(Notice.Kind kind, Keeping keeping) throws IOException {
    synchronized (voice) {
      keeping.keep();
      return state.equals(CONNECTED) && send(new Notice(kind));
    }
  }

  /**
   * Says that nothing is left here, or what is; waits for a connection for as long as that may
   * take, as this is said only once. What is said is on its way before {@link #farewell} hangs up.
   */
  boolean cleared(FromAgent.Cleared cleared, Duration atMost) {
    try {
      firstWelcome.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
      return send(cleared);
    } catch (TimeoutException | ExecutionException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private boolean send(FromAgent message) {
    HubSession present = session;
    if (present == null) {
      return false;
    }
    present.send(message);
    return true;
  }

  // ---- connecting

  private void connectForEver() {
    String said = "";
    int protocol = Protocol.VERSION;
    while (!closing.isDone()) {
      HubSession fresh = new HubSession(protocol, frames, this::receive);
      String end = connectOnce(fresh);
      // Else the newest again: a hub that took an older one is updated, or another one, one day.
      boolean older = fresh.isNotUnderstood() && protocol > Protocol.OLDEST;
      protocol = older ? protocol - 1 : Protocol.VERSION;
      state = "not connected: " + end;
      if (!end.equals(said)) {
        LOG.info("hub: " + end);
        said = end;
      }
      pause(backoff.next());
    }
  }

  private String connectOnce(HubSession fresh) {
    resolve();
    // From here on it takes reports, so that none between Hello and Welcome is missed.
    session = fresh;
    try {
      fresh.begin(duties.hello());
      http.newWebSocketBuilder()
          .connectTimeout(CONNECT)
          .header("Authorization", "Bearer " + token.read())
          .header(Protocol.VM_HEADER, vmUid)
          .buildAsync(hub, fresh)
          .get(CONNECT.toMillis() * 2, TimeUnit.MILLISECONDS);
      return fresh.ended().join();
    } catch (IOException | IllegalArgumentException e) {
      return "the agent's own files are at fault: " + e.getMessage();
    } catch (TimeoutException e) {
      return "no handshake in time";
    } catch (ExecutionException e) {
      return describe(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    } finally {
      fresh.end("over");
      session = null;
    }
  }

  private static String describe(@Nullable Throwable failure) {
    return switch (failure) {
      case WebSocketHandshakeException refused ->
          "refused with status " + refused.getResponse().statusCode();
      case null -> "no connection";
      default -> Texts.message("no connection: " + failure);
    };
  }

  // ---- receiving: on the connection's thread, so nothing here may block

  private void receive(HubSession from, ToAgent message) {
    if (!from.isWelcome() && !(message instanceof ToAgent.Welcome)) {
      from.end("the hub gave an order before its welcome");
      return;
    }
    switch (message) {
      case ToAgent.Welcome welcome -> welcomed(from, welcome);
      case ToAgent.Cadence cadence -> cadence(from, cadence.heartbeatMillis());
      case ToAgent.Prepare prepare -> duties.prepare(prepare);
      case ToAgent.Run run -> duties.run(run);
      case ToAgent.Stop stop -> duties.stop(stop);
      case ToAgent.Challenge challenge ->
          from.send(new FromAgent.ChallengeAnswer(challenge.nonce()));
      case ToAgent.Uninstall _ -> {
        from.send(new FromAgent.Leaving());
        duties.uninstall();
      }
      case ToAgent.NewToken fresh -> executor.execute(() -> store(from, fresh));
    }
  }

  private void welcomed(HubSession from, ToAgent.Welcome welcome) {
    from.welcomed();
    backoff.reset();
    state = CONNECTED;
    firstWelcome.complete(null);
    LOG.info("hub: connected, a heartbeat every " + welcome.heartbeatMillis() + " ms");
    cadence(from, welcome.heartbeatMillis());
    try {
      synchronized (voice) {
        // Also that nothing stands: the hub remembers what an earlier session said.
        from.send(new Notice(duties.voice().orElse(Notice.Kind.RESUME)));
      }
    } catch (IOException e) {
      LOG.warning("what the owner asked for cannot be read: " + e.getMessage());
    }
  }

  private void store(HubSession from, ToAgent.NewToken fresh) {
    try {
      token.replace(fresh.token());
      from.send(new FromAgent.TokenStored(fresh.tokenId()));
      LOG.info("hub: a new token is stored");
    } catch (IOException e) {
      LOG.warning("a new token cannot be stored: " + e.getMessage());
    }
  }

  // ---- the heart: one thread for this and nothing else

  private synchronized void cadence(HubSession of, int heartbeatMillis) {
    if (beats != null) {
      beats.cancel(false);
    }
    beat = Duration.ofMillis(heartbeatMillis);
    AtomicLong sequence = of.sequence();
    beats =
        heart.scheduleAtFixedRate(
            safely(() -> of.beat(new FromAgent.Heartbeat(sequence.get(), uptimeMillis()))),
            0,
            heartbeatMillis,
            TimeUnit.MILLISECONDS);
  }

  /** A task that throws is never run again: the heart must not stop so. */
  private static Runnable safely(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException | Error e) {
        LOG.log(Level.SEVERE, "the heart stumbled", e);
      }
    };
  }

  private long uptimeMillis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
  }

  private void watch() {
    HubSession present = session;
    if (present == null) {
      return;
    }
    long now = System.nanoTime();
    Duration rare = present.isWelcome() ? beat : Duration.ZERO;
    if (now - present.lastHeard() > longer(patience.silence(), rare.multipliedBy(3)).toNanos()) {
      present.end("the hub is silent");
    } else if (!present.isWelcome() && now - present.opened() > patience.welcome().toNanos()) {
      present.end("the hub did not welcome us");
    } else if (now - pinged >= rare.toNanos()) {
      // Not more often than it wants to hear from us: a ping costs the hub as much as a heartbeat.
      pinged = now;
      present.ping();
    }
  }

  private static Duration longer(Duration a, Duration b) {
    return a.compareTo(b) >= 0 ? a : b;
  }

  private void pause(Duration duration) {
    try {
      closing.get(duration.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      LOG.finest("the pause is over");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Says a last word, if any, and hangs up; takes a second at most. */
  void farewell(Optional<Notice.Kind> word) {
    HubSession present = session;
    if (present != null && present.isWelcome()) {
      word.ifPresent(kind -> present.send(new Notice(kind)));
      present.close().completeOnTimeout("no answer to our farewell", 1, TimeUnit.SECONDS).join();
    }
    close();
  }

  @Override
  public void close() {
    closing.complete(null);
    if (watching != null) {
      watching.cancel(false);
    }
    heart.shutdownNow();
    HubSession present = session;
    if (present != null) {
      present.end("the agent ends");
    }
    http.shutdownNow();
  }
}
