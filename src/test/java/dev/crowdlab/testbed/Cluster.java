package dev.crowdlab.testbed;

import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A control plane, and its ingress from when it is first asked for. */
final class Cluster implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);
  private static final Duration EMPTYING_BOUND = Duration.ofSeconds(60);

  /** The API server's own, and the ingress controller's. */
  private static final Set<String> KEPT =
      Set.of("default", "kube-system", "kube-public", "kube-node-lease", "projectcontour");

  private final TestBed bed;
  private final ControlPlane controlPlane;
  private @Nullable IngressBed ingress;

  Cluster(TestBed bed) {
    this.bed = bed;
    this.controlPlane = ControlPlane.start(bed);
  }

  ControlPlane controlPlane() {
    return controlPlane;
  }

  synchronized IngressBed ingress() {
    if (ingress == null) {
      ingress = IngressBed.start(bed, controlPlane);
    }
    return ingress;
  }

  /** Whether all namespaces of the class that had it are gone. */
  boolean empty() {
    try {
      KubernetesClient client = controlPlane.admin();
      List<String> left =
          client.namespaces().list().getItems().stream()
              .map(Namespace::getMetadata)
              .map(metadata -> metadata.getName())
              .filter(name -> !KEPT.contains(name))
              .toList();
      left.forEach(name -> client.namespaces().withName(name).delete());
      for (String name : left) {
        client
            .namespaces()
            .withName(name)
            .waitUntilCondition(Objects::isNull, EMPTYING_BOUND.toMillis(), TimeUnit.MILLISECONDS);
      }
      return true;
    } catch (KubernetesClientException e) {
      LOG.info("a cluster is not handed on: {}", e.getMessage());
      return false;
    }
  }

  @Override
  public void close() {
    IngressBed started = ingress;
    Closing.all(
        () -> {
          if (started != null) {
            started.close();
          }
        },
        controlPlane);
  }
}
