package dev.crowdlab.testbed;

import java.util.ArrayList;
import java.util.List;

/**
 * {@link Cluster}s that one class has after the other: to start one costs as much as many a test.
 * What a class left in namespaces goes before the next one has it; a cluster from which it does not
 * go is ended.
 */
final class Clusters implements AutoCloseable {

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

    Cluster cluster() {
      return cluster;
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
}
