package dev.crowdlab.testbed;

import com.sun.net.httpserver.BasicAuthenticator;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * A registry that has one image, {@code exercise:1}, and lets it be pulled by lab hosts, with or
 * without a password. It speaks TLS, as podman expects of one: to find out that one does not takes
 * it ten seconds at each pull.
 */
public final class ImageRegistry implements AutoCloseable {
  private static final Pattern DIGEST = Pattern.compile("\"sha256:([0-9a-f]{64})\"");
  private static final Pattern WANTED =
      Pattern.compile("/v2/exercise/(manifests|blobs)/(1|sha256:[0-9a-f]{64})");

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Path blobs;
  private final String manifest;
  private final HttpsServer server;

  private ImageRegistry(TestBed bed, LabNetwork network) throws IOException {
    Path layout = bed.image().resolveSibling("exercise");
    blobs = layout.resolve("blobs/sha256");
    manifest = firstDigest(Files.readString(layout.resolve("index.json")));
    server = HttpsServer.create(new InetSocketAddress(network.gateway(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(tls(network.gateway())));
    server.setExecutor(threads);
  }

  /** A registry for everybody. */
  public static ImageRegistry open(TestBed bed, LabNetwork network) {
    ImageRegistry registry = create(bed, network);
    registry.serve();
    return registry;
  }

  /** A registry for one who knows the password. */
  public static ImageRegistry guarded(
      TestBed bed, LabNetwork network, String user, String password) {
    ImageRegistry registry = create(bed, network);
    registry
        .serve()
        .setAuthenticator(
            new BasicAuthenticator("registry") {
              @Override
              public boolean checkCredentials(String givenUser, String givenPassword) {
                return user.equals(givenUser) && password.equals(givenPassword);
              }
            });
    return registry;
  }

  /** Host and port, as they stand in an image's name and in a pull secret. */
  public String authority() {
    return "%s:%d"
        .formatted(
            server.getAddress().getAddress().getHostAddress(), server.getAddress().getPort());
  }

  /** The image's full name. */
  public String image() {
    return authority() + "/exercise:1";
  }

  /** Lets a host pull from here although nobody vouches for the certificate. */
  public void trustedBy(LabHost host) {
    host.exec("mkdir", "-p", "/etc/containers/registries.conf.d");
    host.write(
        "/etc/containers/registries.conf.d/testbed.conf",
        "[[registry]]\nlocation = \"%s\"\ninsecure = true\n".formatted(authority()));
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
  }

  private static ImageRegistry create(TestBed bed, LabNetwork network) {
    try {
      return new ImageRegistry(bed, network);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static SSLContext tls(String address) {
    try {
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(new TestPki().server(address), new char[0]);
      SSLContext tls = SSLContext.getInstance("TLS");
      tls.init(keys.getKeyManagers(), null, null);
      return tls;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private HttpContext serve() {
    HttpContext context = server.createContext("/v2/", this::answer);
    server.start();
    return context;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      Matcher wanted = WANTED.matcher(path);
      if (path.equals("/v2/")) {
        exchange.sendResponseHeaders(200, -1);
      } else if (wanted.matches()) {
        send(exchange, wanted.group(1).equals("manifests"), wanted.group(2));
      } else {
        exchange.sendResponseHeaders(404, -1);
      }
    }
  }

  private void send(HttpExchange exchange, boolean isManifest, String reference)
      throws IOException {
    Path file = blobs.resolve(reference.equals("1") ? manifest : reference.substring(7));
    if (!Files.exists(file)) {
      exchange.sendResponseHeaders(404, -1);
      return;
    }
    exchange
        .getResponseHeaders()
        .set(
            "Content-Type",
            isManifest ? "application/vnd.oci.image.manifest.v1+json" : "application/octet-stream");
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(200, head ? -1 : Files.size(file));
    if (!head) {
      Files.copy(file, exchange.getResponseBody());
    }
  }

  private static String firstDigest(String index) {
    Matcher found = DIGEST.matcher(index);
    if (!found.find()) {
      throw new IllegalStateException("no manifest in " + index);
    }
    return found.group(1);
  }
}
