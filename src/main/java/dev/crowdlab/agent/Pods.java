package dev.crowdlab.agent;

import dev.crowdlab.agent.Networks.Network;
import dev.crowdlab.protocol.ToAgent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Teams' containers on this VM. */
interface Pods {

  /** An epoch's containers. */
  record Pod(String teamUid, long epoch) {

    String name() {
      return "crowdlab-" + teamUid + "-" + epoch;
    }

    String container(String name) {
      return name() + "-" + name;
    }
  }

  /**
   * What to make.
   *
   * @param workspace the path to bind into the containers that ask for it; null: none
   * @param late whether what is mounted on that path later reaches the containers
   */
  record Plan(Pod pod, Network network, ToAgent.Run run, @Nullable Path workspace, boolean late) {}

  /** A pod that is there, by its labels; {@code network} is the name of its network. */
  record Found(Pod pod, boolean running, String network) {}

  /** A container now; {@code exitCode} only when it has ended. */
  record Status(String container, String id, boolean running, @Nullable Integer exitCode) {}

  /** Thrown when an image is not on the VM. */
  final class ImageMissingException extends Exception {
    private static final long serialVersionUID = 1L;

    ImageMissingException(String image) {
      super(image);
    }
  }

  /**
   * Makes the pod and its containers, ready to run as far as they can be without the workspace;
   * none of them runs. Replaces a pod of the same name.
   */
  void create(Plan plan) throws RunException, ImageMissingException;

  /** The process that waits to become the container, when it is ready to run. */
  Optional<ProcessHandle> waiting(Pod pod, String container);

  /** Pulls an image unless it is there. */
  void pull(String image, ToAgent.@Nullable RegistryAuth auth, CompletableFuture<Void> cancel)
      throws RunException;

  /** Starts containers; those that run are left alone. */
  void start(Pod pod, List<String> containers) throws RunException;

  /** The containers' states; empty when podman gives no answer. */
  List<Status> statuses(Pod pod, List<String> containers);

  /** The end of a container's output, as it is. */
  String lastLines(Pod pod, String container);

  /**
   * Stops the containers and leaves them there.
   *
   * @return whether none runs any more
   */
  boolean stop(Pod pod, Duration grace);

  /**
   * Removes the pod, killing what runs in it.
   *
   * @return whether nothing of it is left
   */
  boolean remove(Pod pod);

  /**
   * All pods of ours.
   *
   * @throws RunException when podman gives no answer: then nothing is known, which is not nothing
   */
  List<Found> list() throws RunException;
}
