package dev.crowdlab.operator;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.ssh.Cidr;
import dev.crowdlab.ssh.ClusterBlocks;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.NodeList;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.networking.v1.ServiceCIDR;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The addresses of the cluster's Services and nodes, which nobody's ContributedVM may lead to: read
 * at the start, again every minute, and soon when a machine was refused because of them, as what
 * was refused may have left the cluster. What cannot be read stays as it was known.
 *
 * <p>Lists in pages instead of watching: of a node, which is large, only its addresses are kept.
 */
final class ClusterAddresses implements ClusterBlocks, AutoCloseable {

  static final Duration REFRESH = Duration.ofMinutes(1);

  /** While something was never read. */
  private static final Duration FIRST_READ_AGAIN = Duration.ofSeconds(5);

  /** Between two reads, however many machines are refused. */
  private static final Duration LEAST = Duration.ofSeconds(2);

  /**
   * Reading early may take this part of the time: whoever lets a machine lead to a node must not
   * keep the API server of a large cluster busy.
   */
  private static final int SHARE = 20;

  private static final long PAGE = 500;
  private static final int NOT_FOUND = 404;

  private static final Logger LOG = LoggerFactory.getLogger(ClusterAddresses.class);

  private final List<Known> known;

  /** Of all kinds; kept, as it is asked for at every connect. */
  private volatile Set<Cidr> all = Set.of();

  private final Duration refresh;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("cluster-addresses").daemon().factory());

  /** Whether an early read waits for its turn. */
  private final AtomicBoolean doubted = new AtomicBoolean();

  /** From when on an early read may begin, by {@link System#nanoTime}. */
  private volatile long earliest = System.nanoTime();

  /**
   * @param refresh between two reads
   */
  ClusterAddresses(KubernetesClient client, Duration refresh) {
    this(() -> services(client), () -> nodes(client), refresh);
  }

  ClusterAddresses(Supplier<Set<Cidr>> services, Supplier<Set<Cidr>> nodes, Duration refresh) {
    this.known = List.of(new Known("Services", services), new Known("nodes", nodes));
    this.refresh = requireNonNull(refresh, "refresh");
  }

  /** Reads for the first time, and from now on. */
  void start() {
    read();
    again();
  }

  @Override
  public Set<Cidr> known() {
    return all;
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }

  /** Reads again as soon as it may; the refusal itself does not wait for it. */
  @Override
  public void refusedOne() {
    if (doubted.compareAndSet(false, true)) {
      try {
        var _ =
            timer.schedule(
                () -> {
                  doubted.set(false);
                  read();
                },
                Math.max(0, earliest - System.nanoTime()),
                TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException e) {
        LOG.debug("closed; the cluster's addresses are not read again");
      }
    }
  }

  /** Reads what can be read now. */
  void read() {
    long began = System.nanoTime();
    known.forEach(Known::read);
    Set<Cidr> read = new HashSet<>();
    known.forEach(one -> read.addAll(one.blocks));
    all = Collections.unmodifiableSet(read);
    long ended = System.nanoTime();
    earliest = ended + Math.max(LEAST.toNanos(), SHARE * (ended - began));
  }

  private void again() {
    Duration delay = known.stream().allMatch(one -> one.everRead) ? refresh : FIRST_READ_AGAIN;
    try {
      var _ =
          timer.schedule(
              () -> {
                try {
                  read();
                } finally {
                  again();
                }
              },
              delay.toMillis(),
              TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("closed; the cluster's addresses are not read again");
    }
  }

  /** One kind of addresses, as it was read last. */
  private static final class Known {
    private final String what;
    private final Supplier<Set<Cidr>> source;
    private volatile Set<Cidr> blocks = Set.of();
    private volatile boolean everRead;
    private boolean failing;

    private Known(String what, Supplier<Set<Cidr>> source) {
      this.what = what;
      this.source = source;
    }

    private synchronized void read() {
      try {
        blocks = Set.copyOf(source.get());
        everRead = true;
        if (failing) {
          LOG.info("the addresses of the cluster's {} are read again", what);
        }
        failing = false;
      } catch (RuntimeException e) {
        if (!failing) {
          LOG.warn(
              "the addresses of the cluster's {} cannot be read; {} known ones stay refused: {}",
              what,
              blocks.size(),
              e.getMessage());
        }
        failing = true;
      }
    }
  }

  private static Set<Cidr> services(KubernetesClient client) {
    try {
      Set<Cidr> blocks = new HashSet<>();
      for (ServiceCIDR range : client.resources(ServiceCIDR.class).list().getItems()) {
        if (range.getSpec() != null) {
          range.getSpec().getCidrs().stream().flatMap(ClusterAddresses::block).forEach(blocks::add);
        }
      }
      return blocks;
    } catch (KubernetesClientException e) {
      if (e.getCode() != NOT_FOUND) {
        throw e;
      }
      return apiService(client);
    }
  }

  /** A cluster before 1.33 does not tell its range; one of its addresses everybody knows. */
  private static Set<Cidr> apiService(KubernetesClient client) {
    Service api = client.services().inNamespace("default").withName("kubernetes").require();
    Set<Cidr> blocks = new HashSet<>();
    api.getSpec().getClusterIPs().stream().flatMap(ClusterAddresses::block).forEach(blocks::add);
    Optional.ofNullable(api.getSpec().getClusterIP()).stream()
        .flatMap(ClusterAddresses::block)
        .forEach(blocks::add);
    return blocks;
  }

  private static Set<Cidr> nodes(KubernetesClient client) {
    Set<Cidr> blocks = new HashSet<>();
    @Nullable String next = null;
    do {
      NodeList page =
          client.nodes().list(new ListOptionsBuilder().withLimit(PAGE).withContinue(next).build());
      page.getItems().stream()
          .flatMap(ClusterAddresses::addresses)
          .map(NodeAddress::getAddress)
          .flatMap(ClusterAddresses::block)
          .forEach(blocks::add);
      next = page.getMetadata().getContinue();
    } while (next != null && !next.isEmpty());
    return blocks;
  }

  private static Stream<NodeAddress> addresses(Node node) {
    return node.getStatus() == null ? Stream.empty() : node.getStatus().getAddresses().stream();
  }

  /** Of whatever type it is said to be; a name is none. */
  private static Stream<Cidr> block(String text) {
    try {
      return Stream.of(Cidr.parse(text));
    } catch (IllegalArgumentException e) {
      return Stream.empty();
    }
  }
}
