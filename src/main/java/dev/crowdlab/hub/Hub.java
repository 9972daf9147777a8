package dev.crowdlab.hub;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.hub.HubIdentity.Material;
import dev.crowdlab.hub.SecretStore.SecretStoreException;
import dev.crowdlab.protocol.Protocol;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hub as the operator runs it: server, sessions, tokens, certificates and failure detector in
 * one. Only the leader opens it.
 */
public final class Hub implements AutoCloseable {

  private static final Duration OPEN_AGAIN = Duration.ofSeconds(2);
  private static final Duration CERTIFICATE_CHECK = Duration.ofMinutes(10);
  private static final Duration ROTATION_CHECK = Duration.ofMinutes(1);
  private static final int WORKERS = 4;
  private static final int MAX_WAITING_WORK = 10_000;

  private static final Logger log = LoggerFactory.getLogger(Hub.class);

  private final HubSettings settings;
  private final Tokens tokens;
  private final HubIdentity identity;
  private final ScheduledThreadPoolExecutor timer;
  private final ThreadPoolExecutor worker;
  private final Dispatcher news = new Dispatcher();
  private final SshdProber prober = new SshdProber();
  private final HubAgents agents;
  private final HubServer server;
  private volatile @Nullable Material material;
  private boolean wanted;
  private boolean open;

  public Hub(HubSettings settings, SecretStore secrets, HubClock clock, MeterRegistry registry) {
    this.settings = requireNonNull(settings, "settings");
    SecureRandom random = new SecureRandom();
    tokens = new Tokens(secrets, clock, random);
    identity =
        new HubIdentity(
            secrets,
            settings.identitySecret(),
            settings.advertised().stream().map(InetSocketAddress::getHostString).toList(),
            clock,
            random);
    timer =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().name("crowdlab-hub-timer").factory());
    timer.setRemoveOnCancelPolicy(true);
    worker =
        new ThreadPoolExecutor(
            WORKERS,
            WORKERS,
            1,
            TimeUnit.MINUTES,
            new ArrayBlockingQueue<>(MAX_WAITING_WORK),
            Thread.ofPlatform().name("crowdlab-hub-worker-", 0).factory(),
            (task, pool) -> log.warn("the hub has too much to do; something will be done later"));
    worker.allowCoreThreadTimeOut(true);
    HubMetrics metrics = new HubMetrics(registry);
    Timers timers = this::after;
    HubContext context =
        HubContext.of(
            settings.detector(),
            settings.witnesses(),
            clock,
            timers,
            prober,
            prober::ask,
            news,
            metrics,
            () -> nonce(random));
    agents = new HubAgents(context, tokens, settings.rotateTokensAfter(), worker);
    server = new HubServer(settings, tokens, agents, metrics, timers, clock);
  }

  /** The agents as the reconcilers see them. */
  public Agents agents() {
    return agents;
  }

  public Tokens tokens() {
    return tokens;
  }

  /**
   * What agents trust, PEM, for their configuration; empty until the hub was opened. It changes
   * when an authority is renewed: configure the agents again then.
   */
  public Optional<String> caPem() {
    return Optional.ofNullable(material).map(Material::caPem);
  }

  /** Where agents dial, for their configuration. */
  public String url() {
    InetSocketAddress address = settings.advertised().getFirst();
    String host = address.getHostString();
    return "wss://"
        + (host.indexOf(':') >= 0 ? "[" + host + "]" : host)
        + ":"
        + (address.getPort() == 0 ? server.port() : address.getPort())
        + Protocol.PATH;
  }

  /** The port it listens on; -1 while it does not. */
  public int port() {
    return server.port();
  }

  /** Whether agents can connect. */
  public synchronized boolean isOpen() {
    return open;
  }

  /**
   * Accepts agents from now on: to be called when leadership is won. What cannot be done at once
   * (the API server is away, the port is taken) is tried again until {@link #close}.
   *
   * @param contributed lists the UIDs of all ContributedVMs as they are now; tokens of others are
   *     removed. When it throws, they stay until a hub opens again.
   */
  public synchronized void open(Supplier<Set<String>> contributed) {
    if (wanted) {
      return;
    }
    wanted = true;
    tryOpen(contributed);
    every(settings.detector().self().tick(), agents::tick);
    every(ROTATION_CHECK, agents::rotate);
    every(CERTIFICATE_CHECK, () -> worker.execute(this::renew));
  }

  private synchronized void tryOpen(Supplier<Set<String>> contributed) {
    if (!wanted || open) {
      return;
    }
    try {
      Material made = identity.ensure();
      tokens.load();
      forgetOthers(contributed);
      material = made;
      server.open(made);
      agents.opened();
      open = true;
    } catch (SecretStoreException | GeneralSecurityException | IOException e) {
      log.error("the hub cannot open; trying again", e);
      after(OPEN_AGAIN, () -> worker.execute(() -> tryOpen(contributed)));
    }
  }

  /** Before the first token is issued: one issued after the list was made would be taken away. */
  private void forgetOthers(Supplier<Set<String>> contributed) {
    try {
      tokens.retain(contributed.get());
    } catch (RuntimeException e) {
      log.warn("tokens of machines that are no more stay for now: {}", e.getMessage());
    }
  }

  /** A Secret of the hub's namespace changed: when it is the identity, it is looked at now. */
  public void secretChanged(String name) {
    if (name.equals(settings.identitySecret()) && material != null) {
      worker.execute(this::renew);
    }
  }

  private void renew() {
    Material before = material;
    if (before == null) {
      return;
    }
    try {
      renew(before);
    } catch (SecretStoreException | GeneralSecurityException e) {
      log.error(
          "the hub's certificate could not be checked; it is valid until {}", before.end(), e);
    }
  }

  /** One at a time, so that what was read later stays. */
  private void renew(Material before) throws GeneralSecurityException {
    synchronized (identity) {
      Material now = identity.ensure();
      if (!now.end().equals(before.end()) || !now.caPem().equals(before.caPem())) {
        server.renew(now);
        material = now;
      }
    }
  }

  private void after(Duration delay, Runnable task) {
    try {
      ScheduledFuture<?> _ = timer.schedule(guarded(task), delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("the hub is closed; a timer is dropped");
    }
  }

  private void every(Duration period, Runnable task) {
    ScheduledFuture<?> _ =
        timer.scheduleWithFixedDelay(
            guarded(task), period.toNanos(), period.toNanos(), TimeUnit.NANOSECONDS);
  }

  /**
   * A task that fails once must not end its repetition: without the detector's, no failure would be
   * seen any more, and nobody would hear of it. Not by an error either.
   */
  static Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException | Error e) {
        log.error("a timer of the hub failed", e);
      }
    };
  }

  private static String nonce(SecureRandom random) {
    byte[] bytes = new byte[16];
    random.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** Ends everything for good. Agents keep their teams running and dial again. */
  @Override
  public void close() {
    synchronized (this) {
      wanted = false;
      open = false;
    }
    timer.shutdownNow();
    agents.close();
    server.close();
    worker.shutdownNow();
    news.close();
    prober.close();
  }
}
