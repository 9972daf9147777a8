package dev.crowdlab.agent;

import dev.crowdlab.agent.Networks.Network;
import dev.crowdlab.agent.Pods.ImageMissingException;
import dev.crowdlab.agent.Pods.Plan;
import dev.crowdlab.protocol.RunFailure;
import dev.crowdlab.protocol.ToAgent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A run's network, the way in, and its containers as they are made, beside whatever else is done
 * for it: the file server's fence, and the mount. Nothing of it runs yet.
 */
final class Making {

  private final CompletableFuture<Void> abandoned = new CompletableFuture<>();
  private final CompletableFuture<Void> made;

  private Making(Executor executor, Step step) {
    made =
        CompletableFuture.runAsync(
            () -> {
              try {
                step.run(abandoned);
              } catch (RunException e) {
                throw new CompletionException(e);
              }
            },
            executor);
  }

  private interface Step {
    void run(CompletableFuture<Void> abandoned) throws RunException;
  }

  /** Begins it. */
  static Making begin(Host host, Deployment of, @Nullable Path workspace, Executor executor) {
    return new Making(executor, abandoned -> make(host, of, workspace, abandoned));
  }

  private static void make(
      Host host, Deployment of, @Nullable Path workspace, CompletableFuture<Void> abandoned)
      throws RunException {
    for (ToAgent.PublishedPort port : of.run.ports()) {
      if (!host.ports().isFree(port.hostPort())) {
        throw new RunException(
            RunFailure.PORT_IN_USE,
            "another process of the VM holds a port that was to be published");
      }
    }
    openFirewall(host, of);
    Plan plan =
        new Plan(
            of.pod,
            host.networks().take(of.pod),
            of.run,
            workspace,
            workspace != null && host.mounts().reachesContainers(of.place));
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
