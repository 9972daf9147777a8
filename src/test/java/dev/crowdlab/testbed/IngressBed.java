package dev.crowdlab.testbed;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Contour and Envoy on loopback, serving a control plane's Ingresses of class {@code contour} (and
 * HTTPProxies); what a student's name resolves to.
 */
public final class IngressBed implements AutoCloseable {
  private static final Duration START_BOUND = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(50);

  private final TestBed bed;
  private final WorkFolder folder = WorkFolder.create();
  private final List<Daemon> started = new ArrayList<>();
  private final int xdsPort = WorkFolder.freePort();
  private final int httpPort = WorkFolder.freePort();

  private IngressBed(TestBed bed, ControlPlane controlPlane) {
    this.bed = bed;
    try {
      installCrds(controlPlane);
      startContour(controlPlane);
      startEnvoy();
      awaitListening();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  public static IngressBed start(TestBed bed, ControlPlane controlPlane) {
    return new IngressBed(bed, controlPlane);
  }

  /** Where Envoy serves plain HTTP: every host name of an Ingress answers there. */
  public InetSocketAddress address() {
    return new InetSocketAddress("127.0.0.1", httpPort);
  }

  @Override
  public void close() {
    Closing.all(() -> Closing.reversed(started), folder::close);
  }

  private void installCrds(ControlPlane controlPlane) {
    controlPlane.kubectl(
        "apply", "--server-side", "-f", bed.ingress().resolve("crds.yaml").toString());
    controlPlane
        .admin()
        .resource(
            new NamespaceBuilder()
                .withNewMetadata()
                .withName("projectcontour")
                .endMetadata()
                .build())
        .serverSideApply();
    // Contour ends at once when the API server does not yet serve what the CRDs define.
    await("Contour's types are served")
        .atMost(START_BOUND)
        .until(
            () ->
                Optional.ofNullable(controlPlane.admin().getApiResources("projectcontour.io/v1"))
                    .filter(
                        served ->
                            served.getResources().stream()
                                .map(resource -> resource.getName())
                                .toList()
                                .containsAll(List.of("httpproxies", "tlscertificatedelegations")))
                    .isPresent());
  }

  private void startContour(ControlPlane controlPlane) {
    Path config = folder.resolve("contour.yaml");
    write(config, "incluster: false\nkubeconfig: \"%s\"\n".formatted(controlPlane.kubeconfig()));
    started.add(
        bed.start(
            folder.resolve("contour.log"),
            bed.ingress().resolve("contour").toString(),
            "serve",
            "--config-path=" + config,
            "--insecure",
            "--disable-leader-election",
            "--xds-address=127.0.0.1",
            "--xds-port=" + xdsPort,
            "--http-address=127.0.0.1",
            "--http-port=" + WorkFolder.freePort(),
            "--health-address=127.0.0.1",
            "--health-port=" + WorkFolder.freePort(),
            "--debug-http-address=127.0.0.1",
            "--debug-http-port=" + WorkFolder.freePort(),
            "--stats-address=127.0.0.1",
            "--stats-port=" + WorkFolder.freePort(),
            "--envoy-service-http-address=127.0.0.1",
            "--envoy-service-http-port=" + httpPort,
            "--envoy-service-https-address=127.0.0.1",
            "--envoy-service-https-port=" + WorkFolder.freePort()));
  }

  private void startEnvoy() {
    Path config = folder.resolve("envoy.json");
    Command.output(
        Duration.ofSeconds(10),
        List.of(
            bed.ingress().resolve("contour").toString(),
            "bootstrap",
            "--xds-address=127.0.0.1",
            "--xds-port=" + xdsPort,
            "--admin-address=" + folder.resolve("envoy-admin.sock"),
            config.toString()));
    started.add(
        bed.start(
            folder.resolve("envoy.log"),
            bed.ingress().resolve("envoy").toString(),
            "-c",
            config.toString(),
            "--use-dynamic-base-id",
            "--service-cluster",
            "testbed",
            "--service-node",
            "testbed",
            "--concurrency",
            "1"));
  }

  /**
   * Envoy opens the port for exercises only with the first Ingress: until then it has its socket.
   */
  private void awaitListening() {
    await()
        .atMost(START_BOUND)
        .pollInterval(POLL)
        .until(
            () -> {
              started.forEach(Daemon::checkRunning);
              return Files.exists(folder.resolve("envoy-admin.sock"));
            });
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
