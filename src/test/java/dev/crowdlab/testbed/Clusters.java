package dev.crowdlab.testbed;

import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Control planes, each with its ingress, that one class has after the other: to start one costs as
 * much as many a test. What a class left in namespaces goes before the next one has it; a cluster
 * from which it does not go is ended.
 */
final class Clusters implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Clusters.class);
  private static final Duration EMPTYING_BOUND = Duration.ofSeconds(60);

  /** The API server's own, and the ingress controller's. */
  private static final Set<String> KEPT =
      Set.of("default", "kube-system", "kube-public", "kube-node-lease", "projectcontour");

  private final TestBed bed;
  private final List<Cluster> free = new ArrayList<>();
  private final List<Thread> emptying = new ArrayList<>();

  Clusters(TestBed bed) {
    this.bed = bed;
  }

  /** One that nobody else has; closing it hands it on. */
  Lent lend() {
    synchronized (this) {
      if (!free.isEmpty()) {
        return new Lent(free.removeLast());
      }
    }
    return new Lent(new Cluster(bed));
  }

  @Override
  public void close() {
    List<Thread> threads;
    synchronized (this) {
      threads = List.copyOf(emptying);
    }
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    synchronized (this) {
      Closing.reversed(free);
    }
  }

  /** A cluster as one class has it. */
  final class Lent implements AutoCloseable {
    private final Cluster cluster;

    private Lent(Cluster cluster) {
      this.cluster = cluster;
    }

    ControlPlane controlPlane() {
      return cluster.controlPlane;
    }

    IngressBed ingress() {
      return cluster.ingress();
    }

    @Override
    public void close() {
      synchronized (Clusters.this) {
        emptying.add(Thread.ofVirtual().start(this::handOn));
      }
    }

    private void handOn() {
      if (cluster.empty()) {
        synchronized (Clusters.this) {
          free.add(cluster);
        }
      } else {
        cluster.close();
      }
    }
  }

  /** A control plane, and its ingress from when it is first asked for. */
  private static final class Cluster implements AutoCloseable {
    private final TestBed bed;
    private final ControlPlane controlPlane;
    private @Nullable IngressBed ingress;

    private Cluster(TestBed bed) {
      this.bed = bed;
      this.controlPlane = ControlPlane.start(bed);
    }

    private synchronized IngressBed ingress() {
      if (ingress == null) {
        ingress = IngressBed.start(bed, controlPlane);
      }
      return ingress;
    }

    /** Whether all namespaces of the class that had it are gone. */
    private boolean empty() {
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
              .waitUntilCondition(
                  Objects::isNull, EMPTYING_BOUND.toMillis(), TimeUnit.MILLISECONDS);
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
}
