package dev.crowdlab.hub;

import dev.crowdlab.hub.VmHealth.Hold;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
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

  private final MeterRegistry registry;
  private final Counter heartbeats;
  private final Timer pauses;
  private final Counter deaf;
  private final Counter overflows;
  private final Map<Detector.Verdict, Counter> verdicts;
  private final Map<ProbeResult, Counter> probes;
  private final Map<Refusal, Counter> refusals;
  private final Map<End, Counter> ends;
  private final AtomicInteger sessions = new AtomicInteger();

  HubMetrics(MeterRegistry registry) {
    this.registry = registry;
    heartbeats =
        Counter.builder("crowdlab.hub.heartbeats")
            .description("heartbeats of agents")
            .register(registry);
    pauses =
        Timer.builder("crowdlab.hub.pauses")
            .description(
                "times for which the hub itself stood still, and held nothing against others")
            .register(registry);
    deaf =
        Counter.builder("crowdlab.hub.deaf")
            .description("machines that did not answer while nobody else was heard either")
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

  /** We stood still for so long. */
  void paused(Duration pause) {
    pauses.record(pause);
  }

  /** A machine that does not answer is not held for lost yet. */
  void held(Hold hold) {
    if (hold == Hold.DEAF) {
      deaf.increment();
    }
  }

  /** Shows what the others know. */
  void show(StormGuard guard, Pacer pacer) {
    FunctionCounter.builder("crowdlab.hub.storms", guard, StormGuard::storms)
        .description("times too many machines vanished at once")
        .register(registry);
    Gauge.builder("crowdlab.hub.held", guard, StormGuard::held)
        .description("machines that vanished with too many others and wait to be confirmed")
        .register(registry);
    Gauge.builder("crowdlab.hub.heartbeats.core", pacer, Pacer::coreShare)
        .description("share of one core that all heartbeats take, by what one is said to cost")
        .register(registry);
    for (boolean teams : new boolean[] {true, false}) {
      TimeGauge.builder(
              "crowdlab.hub.heartbeats.interval",
              pacer,
              TimeUnit.MILLISECONDS,
              p -> p.beat(teams).toMillis())
          .description("time between heartbeats that agents are told")
          .tag("teams", Boolean.toString(teams))
          .register(registry);
    }
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
