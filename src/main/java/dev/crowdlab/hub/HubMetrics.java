package dev.crowdlab.hub;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** What the hub counts; every label has a fixed set of values. */
final class HubMetrics {

  /** Why a connection was refused at the upgrade. */
  enum Refusal {
    MALFORMED,
    UNAUTHENTICATED,
    CLOSED,
    TOO_MANY
  }

  /** Why the hub ended a session. */
  enum End {
    BY_AGENT,
    PROTOCOL,
    FLOOD,
    SLOW_READER,
    REPLACED,
    DETECTOR,
    FORGOTTEN,
    HUB_CLOSED
  }

  private final Counter heartbeats;
  private final Counter stalls;
  private final Counter overflows;
  private final Map<Detector.Verdict, Counter> verdicts;
  private final Map<ProbeResult, Counter> probes;
  private final Map<Refusal, Counter> refusals;
  private final Map<End, Counter> ends;
  private final AtomicInteger sessions = new AtomicInteger();

  HubMetrics(MeterRegistry registry) {
    heartbeats =
        Counter.builder("crowdlab.hub.heartbeats")
            .description("heartbeats of agents")
            .register(registry);
    stalls =
        Counter.builder("crowdlab.hub.stalls")
            .description("times the hub itself stood still and doubted itself")
            .register(registry);
    overflows =
        Counter.builder("crowdlab.hub.send.overflows")
            .description("sessions ended because the agent did not read")
            .register(registry);
    verdicts =
        counters(
            registry,
            Detector.Verdict.class,
            "crowdlab.hub.verdicts",
            "verdict",
            "changes of the failure detector's mind");
    probes =
        counters(registry, ProbeResult.class, "crowdlab.hub.probes", "result", "probes of sshd");
    refusals =
        counters(
            registry,
            Refusal.class,
            "crowdlab.hub.refusals",
            "cause",
            "connections refused at the upgrade");
    ends =
        counters(registry, End.class, "crowdlab.hub.session.ends", "cause", "sessions that ended");
    Gauge.builder("crowdlab.hub.sessions", sessions, AtomicInteger::get)
        .description("agents connected now")
        .register(registry);
  }

  private static <E extends Enum<E>> Map<E, Counter> counters(
      MeterRegistry registry, Class<E> type, String name, String label, String description) {
    Map<E, Counter> counters = new EnumMap<>(type);
    for (E value : type.getEnumConstants()) {
      counters.put(
          value,
          Counter.builder(name)
              .description(description)
              .tag(label, value.name().toLowerCase(Locale.ROOT).replace('_', '-'))
              .register(registry));
    }
    return counters;
  }

  void heartbeat() {
    heartbeats.increment();
  }

  void stall() {
    stalls.increment();
  }

  void overflow() {
    overflows.increment();
  }

  void verdict(Detector.Verdict verdict) {
    increment(verdicts, verdict);
  }

  void probe(ProbeResult result) {
    increment(probes, result);
  }

  void refused(Refusal cause) {
    increment(refusals, cause);
  }

  void opened() {
    sessions.incrementAndGet();
  }

  void ended(End cause) {
    sessions.decrementAndGet();
    increment(ends, cause);
  }

  private static <E extends Enum<E>> void increment(Map<E, Counter> counters, E value) {
    Counter counter = counters.get(value);
    if (counter != null) {
      counter.increment();
    }
  }
}
