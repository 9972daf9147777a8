package dev.crowdlab.testbed;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A real browser without a window, with one tab, driven by the Chrome DevTools Protocol. It reaches
 * nothing but the one host that it is given.
 */
public final class Chromium implements AutoCloseable {
  private static final Duration BOUND = Duration.ofSeconds(30);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final WorkFolder folder;
  private final Daemon browser;
  private final HttpClient http;
  private final Replies replies = new Replies();
  private final WebSocket tab;
  private final AtomicInteger lastId = new AtomicInteger();

  private Chromium(WorkFolder folder, Daemon browser) {
    this.folder = folder;
    this.browser = browser;
    this.http = HttpClient.newBuilder().connectTimeout(BOUND).build();
    int port = await().atMost(BOUND).until(this::port, found -> found > 0);
    String address = await().atMost(BOUND).until(() -> tab(port), found -> !found.isEmpty());
    this.tab =
        http.newWebSocketBuilder()
            .connectTimeout(BOUND)
            .buildAsync(URI.create(address), replies)
            .join();
  }

  /**
   * Starts Debian's chromium.
   *
   * @param host the only name that leads anywhere
   * @param web where it leads, whatever the port
   */
  public static Chromium start(TestBed bed, String host, InetSocketAddress web) {
    WorkFolder folder = WorkFolder.create();
    Daemon browser =
        bed.start(
            folder.resolve("chromium.log"),
            "chromium",
            "--headless=new",
            // The sandbox refuses to run as root; the only pages it sees are ours.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--no-proxy-server",
            "--host-resolver-rules=MAP %s %s:%d, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
                .formatted(host, web.getAddress().getHostAddress(), web.getPort()),
            "--user-data-dir=" + folder.resolve("profile"),
            "--remote-debugging-port=0",
            "about:blank");
    try {
      return new Chromium(folder, browser);
    } catch (RuntimeException e) {
      Closing.all(browser, folder);
      throw e;
    }
  }

  /** Has the tab load a page; what it shows may come later. */
  public void open(String url) {
    tell("Page.navigate", Map.of("url", url));
  }

  /** The value of an expression in the page, as JSON. */
  public JsonNode evaluate(String expression) {
    JsonNode result =
        tell("Runtime.evaluate", Map.of("expression", expression, "returnByValue", true));
    if (result.has("exceptionDetails")) {
      throw new IllegalStateException(expression + ": " + result.path("exceptionDetails"));
    }
    return result.path("result").path("value");
  }

  /**
   * What a person has chosen: {@code light} or {@code dark}, and {@code reduce} for less motion.
   */
  public void prefer(String colorScheme, String motion) {
    tell(
        "Emulation.setEmulatedMedia",
        Map.of(
            "features",
            List.of(
                Map.of("name", "prefers-color-scheme", "value", colorScheme),
                Map.of("name", "prefers-reduced-motion", "value", motion))));
  }

  /** The window's size in CSS pixels. */
  public void resize(int width, int height) {
    tell(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
  }

  /** From the next page on, none runs a script. */
  public void withoutScripts() {
    tell("Emulation.setScriptExecutionDisabled", Map.of("value", true));
  }

  /** The window's content as PNG. */
  public byte[] screenshot() {
    JsonNode result = tell("Page.captureScreenshot", Map.of("format", "png"));
    return Base64.getDecoder().decode(result.path("data").asText());
  }

  @Override
  public void close() {
    // Asked to, it ends with all its processes; killed, it leaves them to notice.
    tab.sendText(message("Browser.close", Map.of()), true);
    replies.closed.completeOnTimeout(null, BOUND.toSeconds(), TimeUnit.SECONDS).join();
    http.shutdownNow();
    Closing.all(browser, folder);
  }

  private JsonNode tell(String method, Map<String, ?> parameters) {
    String message = message(method, parameters);
    CompletableFuture<JsonNode> reply = replies.to(lastId.get());
    tab.sendText(message, true).join();
    JsonNode answer = reply.orTimeout(BOUND.toSeconds(), TimeUnit.SECONDS).join();
    if (answer.has("error")) {
      throw new IllegalStateException(method + ": " + answer.path("error"));
    }
    return answer.path("result");
  }

  private String message(String method, Map<String, ?> parameters) {
    try {
      return JSON.writeValueAsString(
          Map.of("id", lastId.incrementAndGet(), "method", method, "params", parameters));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The port of its protocol, 0 while it has not chosen one. */
  private int port() throws IOException {
    browser.checkRunning();
    Path file = folder.resolve("profile").resolve("DevToolsActivePort");
    List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
    return lines.size() < 2 ? 0 : Integer.parseInt(lines.getFirst());
  }

  /** Where the tab's protocol is, empty while there is none. */
  private String tab(int port) throws IOException, InterruptedException {
    HttpRequest list =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/json/list"))
            .timeout(BOUND)
            .build();
    for (JsonNode each :
        JSON.readTree(http.send(list, HttpResponse.BodyHandlers.ofString()).body())) {
      if (each.path("type").asText().equals("page")) {
        return each.path("webSocketDebuggerUrl").asText();
      }
    }
    return "";
  }

  /** Leads each answer to who waits for it; events are of no interest. */
  private static final class Replies implements WebSocket.Listener {
    private final Map<Integer, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
    private final CompletableFuture<@Nullable Void> closed = new CompletableFuture<>();
    private final StringBuilder text = new StringBuilder();

    private CompletableFuture<JsonNode> to(int id) {
      CompletableFuture<JsonNode> reply = new CompletableFuture<>();
      waiting.put(id, reply);
      return reply;
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        JsonNode message = read(text.toString());
        text.setLength(0);
        CompletableFuture<JsonNode> reply = waiting.remove(message.path("id").asInt());
        if (reply != null) {
          reply.complete(message);
        }
      }
      socket.request(1);
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
      closed.complete(null);
      return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
      closed.complete(null);
    }

    private static JsonNode read(String message) {
      try {
        return JSON.readTree(message);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
