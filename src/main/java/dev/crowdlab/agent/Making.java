package dev.crowdlab.agent;

import dev.crowdlab.agent.Networks.Network;
import dev.crowdlab.agent.Pods.ImageMissingException;
import dev.crowdlab.agent.Pods.Plan;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A run's network, the way in, and its containers as they are made, beside whatever else is done
 * for it: the file server's fence, and the mount. Nothing of it runs yet.
 *
 * <p>Where there is time, because the run is not ordered yet, its containers are also set up: each
 * has its namespaces and mounts, and only its process is still to be let go. They hold the folder
 * in which the workspace will appear, and see it when it is mounted there; so it must not be
 * mounted while they are being set up.
 */
final class Making {

  private final CompletableFuture<Void> abandoned = new CompletableFuture<>();
  private final CompletableFuture<Void> made;

  // Guarded by this.
  private boolean ordered;
  private CompletableFuture<Void> settingUp = CompletableFuture.completedFuture(null);

  private volatile boolean setUp;

  private Making(Host host, Deployment of, Executor executor) {
    ordered = !of.ahead;
    made =
        CompletableFuture.runAsync(
            () -> {
              try {
                make(host, of);
                setUp(host, of);
              } catch (RunException e) {
                throw new CompletionException(e);
              }
            },
            executor);
  }

  /** Begins it. */
  static Making begin(Host host, Deployment of, Executor executor) {
    return new Making(host, of, executor);
  }

  private void make(Host host, Deployment of) throws RunException {
    for (ToAgent.PublishedPort port : of.run.ports()) {
      if (!host.ports().isFree(port.hostPort())) {
        throw new RunException(
            RunFailure.PORT_IN_USE,
            "another process of the VM holds a port that was to be published");
      }
    }
    openFirewall(host, of);
    Plan plan = new Plan(of.pod, host.networks().take(of.pod), of.run, of.workspace);
    try {
      host.pods().create(plan);
    } catch (ImageMissingException missing) {
      for (ToAgent.Container container : of.run.containers()) {
        host.pods().pull(container.image(), of.run.registryAuth(), abandoned);
      }
      try {
        host.pods().create(plan);
      } catch (ImageMissingException still) {
        throw new RunException(
            RunFailure.IMAGE_MISSING, "image " + still.getMessage() + " is not on the VM");
      }
    }
    of.times.containersMade();
  }

  /** What cannot be set up now is set up when it is started, and told then. */
  private void setUp(Host host, Deployment of) {
    CompletableFuture<Void> end = new CompletableFuture<>();
    synchronized (this) {
      if (ordered || abandoned.isDone()) {
        return;
      }
      settingUp = end;
    }
    setUp = true;
    try {
      host.pods().setUp(of.pod, of.run.containers());
    } finally {
      end.complete(null);
    }
  }

  /**
   * The run is ordered, and its workspace is to be mounted.
   *
   * @return completes when it may be
   */
  synchronized CompletableFuture<Void> ordered() {
    ordered = true;
    return settingUp;
  }

  /** Whether containers were set up, or were to be, before the workspace was there. */
  boolean isSetUp() {
    return setUp;
  }

  /** Puts in force who reaches the run's containers, and whom they reach. */
  static void openFirewall(Host host, Deployment of) throws RunException {
    List<Cidr> forbidden = new ArrayList<>();
    ToAgent.Mount mount = of.run.mount();
    if (mount != null) {
      Cidr.parse(mount.address()).ifPresent(forbidden::add);
    }
    Network network = host.networks().take(of.pod);
    host.firewall()
        .open(
            of.run.teamUid(),
            new Firewall.Opening(
                network.name(),
                network.address(),
                of.run.internet(),
                forbidden,
                of.run.ports().stream()
                    .map(port -> new Firewall.Port(port.hostPort(), port.containerPort()))
                    .toList(),
                of.sources.stream().flatMap(text -> Cidr.parse(text).stream()).toList()));
  }

  /** Waits until it is done; it ends early when it is {@link #abandon abandoned}. */
  void await() throws RunException {
    try {
      made.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RunException why) {
        throw why;
      }
      throw e;
    }
  }

  /** Whether it is done, and came to nothing. */
  boolean hasFailed() {
    return made.isCompletedExceptionally();
  }

  /**
   * Tells when it is done: null, or why it came to nothing. Not when it was abandoned: nobody waits
   * for it then, and who asks for the same anew must not take this for the answer.
   */
  void whenDone(Consumer<@Nullable Throwable> listener) {
    var _ =
        made.whenComplete(
            (done, failure) -> {
              if (!abandoned.isDone()) {
                listener.accept(
                    failure instanceof CompletionException wrapped ? wrapped.getCause() : failure);
              }
            });
  }

  /** Nobody wants it any more: what can be cut short is. */
  void abandon() {
    abandoned.complete(null);
  }

  /** Waits until nothing is made any more, however that ended. */
  void end() {
    abandon();
    made.exceptionally(failure -> null).join();
  }
}
