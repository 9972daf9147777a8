package dev.crowdlab.operator;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of each Secret of the cluster that comes, changes or goes, of whatever type, by its name:
 * who waits for one of this name looks at it then. The API server sends metadata alone, and nothing
 * of it is kept, so a cluster with tens of thousands of Secrets costs no memory, and what is in
 * those that nobody names does not come here.
 *
 * <p>A watch that begins tells of all that there is, so what came while there was none is told too.
 * What went meanwhile is not: whoever names it finds out when it looks by itself.
 */
final class SecretNews implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(SecretNews.class);
  private static final Duration AGAIN = Duration.ofSeconds(2);

  private final KubernetesClient client;
  private final List<Consumer<ResourceID>> listeners;
  private final ScheduledExecutorService executor =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("secret-news").daemon().factory());
  private String said = "";
  private @Nullable Watch watch;
  private boolean closed;

  /**
   * @param client whose cluster and account are used
   * @param listeners called on one thread; they pass the news on and return
   */
  SecretNews(KubernetesClient client, List<Consumer<ResourceID>> listeners) {
    this.client = metadataOnly(client);
    this.listeners = List.copyOf(listeners);
  }

  /** A client to which no object has more than its metadata. */
  static KubernetesClient metadataOnly(KubernetesClient client) {
    return new KubernetesClientBuilder()
        .withConfig(client.getConfiguration())
        .withHttpClientBuilderConsumer(
            http -> http.addOrReplaceInterceptor("metadata-only", new MetadataOnly()))
        .build();
  }

  private static final class MetadataOnly implements Interceptor {
    @Override
    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
      builder.setHeader("Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    }
  }

  /** Begins to watch, and goes on until it is closed. */
  void start() {
    after(Duration.ZERO);
  }

  @Override
  public void close() {
    executor.shutdownNow();
    synchronized (this) {
      closed = true;
      if (watch != null) {
        watch.close();
      }
    }
    client.close();
  }

  private void after(Duration delay) {
    try {
      var _ = executor.schedule(this::open, delay.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed; Secrets are not watched any more");
    }
  }

  /** Once it stands, the client makes a connection that breaks anew by itself. */
  private void open() {
    try {
      Watch opened = client.secrets().inAnyNamespace().watch(new Listener());
      synchronized (this) {
        watch = opened;
        if (closed) {
          opened.close();
        }
      }
    } catch (RuntimeException e) {
      String why = String.valueOf(e.getMessage());
      if (!why.equals(said)) {
        said = why;
        LOG.warn("Secrets cannot be watched, trying again: {}", why);
      }
      after(AGAIN);
    }
  }

  private final class Listener implements Watcher<Secret> {
    @Override
    public void eventReceived(Action action, Secret secret) {
      switch (action) {
        case ADDED, MODIFIED, DELETED -> {
          ResourceID id = ResourceID.fromResource(secret);
          listeners.forEach(listener -> listener.accept(id));
        }
        case BOOKMARK, ERROR -> {}
      }
    }

    @Override
    public void onClose(WatcherException cause) {
      // Its message may quote what came, and an annotation may hold a copy of a Secret's content.
      LOG.debug("the watch of Secrets ended and begins anew; too old: {}", cause.isHttpGone());
      after(AGAIN);
    }
  }
}
