package dev.crowdlab.route;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

/** What the waiting room did, in meters without labels of a team. */
final class WaitingRoomMetrics {

  private static final String REQUESTS = "crowdlab.waiting.room.requests";

  final Counter proxied;
  final Counter pages;
  final Counter refused;
  final Counter broken;
  final Counter unknown;

  WaitingRoomMetrics(MeterRegistry registry, Reception reception) {
    Gauge.builder("crowdlab.waiting.room.held", reception, Reception::waiting)
        .description("Requests that are held now")
        .register(registry);
    Gauge.builder("crowdlab.waiting.room.seats", reception, Reception::seats)
        .description("Requests that are held or proxied now")
        .register(registry);
    proxied = counter(registry, "proxied", "Requests that the exercise answered");
    pages = counter(registry, "turned_away", "Requests that got the page or a 503");
    refused = counter(registry, "refused", "Requests over the bounds");
    broken = counter(registry, "broken", "Requests that were passed on and got no whole answer");
    unknown = counter(registry, "unknown", "Requests for a host or path of no team");
  }

  Counter of(Notice notice) {
    return switch (notice) {
      case STARTING, CREATING, RECOVERING, SUSPENDED, STALLED, MOVED -> pages;
      case FULL -> refused;
      case UNREACHABLE, BROKEN -> broken;
      case UNKNOWN -> unknown;
    };
  }

  private static Counter counter(MeterRegistry registry, String outcome, String description) {
    return Counter.builder(REQUESTS)
        .tag("outcome", outcome)
        .description(description)
        .register(registry);
  }
}
