package dev.crowdlab.agent;

import dev.crowdlab.agent.Networks.Network;
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
  record Plan(Pod pod, Network network, ToAgent.Run run, @Nullable Path workspace) {}

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

  /** Makes the pod and its containers; none of them runs. Replaces a pod of the same name. */
  void create(Plan plan) throws RunException, ImageMissingException;

  /** Pulls an image unless it is there. */
  void pull(String image, ToAgent.@Nullable RegistryAuth auth, CompletableFuture<Void> cancel)
      throws RunException;

  /**
   * Sets containers up as far as they go without running: {@link #start} then only lets them go.
   * They see what is mounted on their workspace's folder afterwards. Those that cannot be set up
   * are left to {@link #start}.
   */
  void setUp(Pod pod, List<ToAgent.Container> containers);

  /**
   * Whether containers that were {@link #setUp} see what is mounted on a folder now: to run them
   * without would lose what they write.
   *
   * @param workspace null: there is nothing to see
   */
  boolean see(Pod pod, @Nullable Path workspace);

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
