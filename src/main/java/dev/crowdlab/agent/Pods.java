package dev.crowdlab.agent;

import dev.crowdlab.protocol.ToAgent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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
   */
  record Plan(Pod pod, String network, ToAgent.Run run, @Nullable Path workspace) {}

  /** A private network of a team. */
  record Network(String name, String bridge) {}

  /** A pod that is there, by its labels. */
  record Found(Pod pod, boolean running) {}

  /** A container now; {@code exitCode} only when it has ended. */
  record Status(String container, String id, boolean running, @Nullable Integer exitCode) {}

  /** Thrown when an image is not on the VM. */
  final class ImageMissingException extends Exception {
    private static final long serialVersionUID = 1L;

    ImageMissingException(String image) {
      super(image);
    }
  }

  /** A network that no team uses, for this team; the same one when asked again. */
  Network network(Pod pod) throws RunException;

  /**
   * Makes the pod and its containers, and starts what they share; none of the containers runs.
   * Replaces a pod of the same name.
   */
  void create(Plan plan) throws RunException, ImageMissingException;

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
   * Stops the containers and leaves them there. One whose first process takes no notice of its stop
   * signal is killed at once: the grace would change nothing.
   *
   * @param grace zero: all are killed
   * @return whether none runs any more
   */
  boolean stop(Pod pod, List<String> containers, Duration grace);

  /**
   * Removes the pod, killing what runs in it. Its network stays its own until it is released.
   *
   * @return whether nothing of it is left
   */
  boolean remove(Pod pod);

  /** Lets other teams have the pod's network. */
  void release(Pod pod);

  /**
   * All pods of ours.
   *
   * @throws RunException when podman gives no answer: then nothing is known, which is not nothing
   */
  List<Found> list() throws RunException;
}
