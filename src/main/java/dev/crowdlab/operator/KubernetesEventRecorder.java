package dev.crowdlab.operator;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.Names;
import dev.crowdlab.api.Reason;
import dev.crowdlab.core.EventRecorder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes events to the API server from one thread of its own. An event's name is a digest of what
 * it says and of the interval it falls into, so that an operator that was restarted, or a second
 * one, does not say it again either.
 */
final class KubernetesEventRecorder implements EventRecorder, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(KubernetesEventRecorder.class);

  /** Within this time the same event is not repeated. */
  static final Duration INTERVAL = Duration.ofMinutes(10);

  /** The events that wait to be written; one more is dropped. */
  static final int QUEUE = 1_000;

  /** For how long an operator that ends waits for the events that it has not written yet. */
  static final Duration PATIENCE = Duration.ofSeconds(2);

  private static final int REMEMBERED = 4_096;
  private static final int MAX_NOTE = 1_024;
  private static final int CONFLICT = 409;
  private static final DateTimeFormatter MICROS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private final KubernetesClient client;
  private final InstantSource clock;
  private final String instance;
  private final Duration patience;
  private final BlockingQueue<Event> queue = new ArrayBlockingQueue<>(QUEUE);
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread writer;
  private final SequencedMap<String, Instant> recorded = new LinkedHashMap<>();

  /**
   * Starts the writer.
   *
   * @param instance names this operator's process in the events
   * @param patience for how long closing waits for what is not written yet
   */
  KubernetesEventRecorder(
      KubernetesClient client, InstantSource clock, String instance, Duration patience) {
    this.client = requireNonNull(client, "client");
    this.clock = requireNonNull(clock, "clock");
    this.instance = requireNonNull(instance, "instance");
    this.patience = requireNonNull(patience, "patience");
    this.writer = Thread.ofVirtual().name("events").start(this::write);
  }

  @Override
  public void record(HasMetadata about, Type type, Reason reason, String note) {
    Instant now = clock.instant();
    Event event = event(about, type, reason, note, now);
    if (closed.get() || !isNews(about.getMetadata().getUid() + '\n' + reason + '\n' + note, now)) {
      return;
    }
    if (!queue.offer(event)) {
      LOG.warn("{} {}: event {} dropped, too many wait", about.getKind(), name(about), reason);
    }
  }

  /** Writes what waits, as far as its patience goes. */
  @Override
  public void close() {
    closed.set(true);
    try {
      if (!writer.join(patience)) {
        writer.interrupt();
      }
    } catch (InterruptedException e) {
      writer.interrupt();
      Thread.currentThread().interrupt();
    }
  }

  private void write() {
    try {
      while (!closed.get() || !queue.isEmpty()) {
        Event event = queue.poll(100, TimeUnit.MILLISECONDS);
        if (event != null) {
          create(event);
        }
      }
    } catch (InterruptedException interrupted) {
      LOG.debug("{} events left unwritten", queue.size());
    }
  }

  private void create(Event event) {
    try {
      client
          .events()
          .v1()
          .events()
          .inNamespace(event.getMetadata().getNamespace())
          .resource(event)
          .create();
    } catch (KubernetesClientException e) {
      // A conflict is an event said before; a namespace that is going refuses new ones.
      if (e.getCode() != CONFLICT) {
        LOG.debug("event {} not written: {}", event.getMetadata().getName(), e.getMessage());
      }
    }
  }

  private synchronized boolean isNews(String key, Instant now) {
    Instant last = recorded.get(key);
    if (last != null && last.plus(INTERVAL).isAfter(now)) {
      return false;
    }
    recorded.putLast(key, now);
    if (recorded.size() > REMEMBERED) {
      recorded.pollFirstEntry();
    }
    return true;
  }

  private Event event(HasMetadata about, Type type, Reason reason, String note, Instant now) {
    ObjectMeta metadata = about.getMetadata();
    String text = note.length() <= MAX_NOTE ? note : note.substring(0, MAX_NOTE - 1) + "…";
    long interval = now.getEpochSecond() / INTERVAL.toSeconds();
    String digest = digest(metadata.getUid() + '\n' + reason + '\n' + text + '\n' + interval);
    String prefix = metadata.getName();
    return new EventBuilder()
        .withNewMetadata()
        .withNamespace(metadata.getNamespace())
        .withName(prefix.substring(0, Math.min(prefix.length(), 200)) + "." + digest)
        .endMetadata()
        .withEventTime(new MicroTime(MICROS.format(now)))
        .withType(
            switch (type) {
              case NORMAL -> "Normal";
              case WARNING -> "Warning";
            })
        .withReason(reason.value())
        .withAction(reason.value())
        .withNote(text)
        .withReportingController(Names.GROUP + "/operator")
        .withReportingInstance(instance)
        .withRegarding(
            new ObjectReferenceBuilder()
                .withApiVersion(about.getApiVersion())
                .withKind(about.getKind())
                .withNamespace(metadata.getNamespace())
                .withName(metadata.getName())
                .withUid(metadata.getUid())
                .build())
        .build();
  }

  private static String name(HasMetadata about) {
    return about.getMetadata().getNamespace() + "/" + about.getMetadata().getName();
  }

  private static String digest(String text) {
    try {
      byte[] sha256 =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(sha256, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has SHA-256", e);
    }
  }
}
