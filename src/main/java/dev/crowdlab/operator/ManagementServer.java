package dev.crowdlab.operator;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Health and metrics over plain HTTP: {@code /healthz} (the process works), {@code /readyz} (it
 * leads, or stands by and could), {@code /metrics} (Prometheus). It has nothing secret and takes no
 * input.
 */
final class ManagementServer implements AutoCloseable {

  private static final int BACKLOG = 16;

  private final HttpServer server;
  private final ExecutorService threads;

  private ManagementServer(HttpServer server, ExecutorService threads) {
    this.server = requireNonNull(server, "server");
    this.threads = requireNonNull(threads, "threads");
  }

  /**
   * Listens at once.
   *
   * @throws IOException when the port is taken
   */
  static ManagementServer start(
      InetSocketAddress listen,
      BooleanSupplier healthy,
      BooleanSupplier ready,
      PrometheusMeterRegistry registry)
      throws IOException {
    HttpServer server = HttpServer.create(listen, BACKLOG);
    ExecutorService threads =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("management-", 0).factory());
    server.setExecutor(threads);
    Map<String, Supplier<Answer>> paths =
        Map.of(
            "/healthz", () -> check(healthy),
            "/readyz", () -> check(ready),
            "/metrics", () -> new Answer(200, registry.scrape()));
    paths.forEach(
        (path, answer) -> server.createContext(path, exchange -> answer(exchange, path, answer)));
    server.start();
    return new ManagementServer(server, threads);
  }

  int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private record Answer(int status, String body) {}

  private static Answer check(BooleanSupplier check) {
    return check.getAsBoolean() ? new Answer(200, "ok\n") : new Answer(503, "not yet\n");
  }

  private static void answer(HttpExchange exchange, String path, Supplier<Answer> supplier)
      throws IOException {
    try (exchange) {
      boolean known = exchange.getRequestURI().getPath().equals(path);
      Answer answer = known ? supplier.get() : new Answer(404, "not found\n");
      byte[] body = answer.body().getBytes(UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
      boolean head = exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(answer.status(), head ? -1 : body.length);
      if (!head) {
        exchange.getResponseBody().write(body);
      }
    }
  }
}
