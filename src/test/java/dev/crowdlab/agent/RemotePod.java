package dev.crowdlab.agent;

import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.agent.Networks.Network;
import dev.crowdlab.agent.Pods.Plan;
import dev.crowdlab.agent.Pods.Pod;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.testbed.LabHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A pod that the agent's own podman commands make on another machine, carried out there word by
 * word: on an emulated one the agent itself takes minutes to get there.
 */
public final class RemotePod implements AutoCloseable {

  private static final Network NETWORK = new Network("crowdlab-1", "10.89.240.1");
  private static final String CONTAINER = "web";

  private final LabHost host;
  private final Pod pod;

  private RemotePod(LabHost host, Pod pod) {
    this.host = host;
    this.pod = pod;
  }

  /**
   * Starts a pod of one container of the test bed's image.
   *
   * @param cpuMillis thousandths of a core that it may use; 0: no limit
   * @param memoryBytes memory that it may use; 0: no limit
   */
  public static RemotePod start(LabHost host, int cpuMillis, long memoryBytes) throws Exception {
    ToAgent.Container container =
        new ToAgent.Container(
            CONTAINER,
            "localhost/exercise:1",
            List.of(),
            List.of(),
            Map.of("GREETING", "a \"quoted\" $HOME word"),
            cpuMillis,
            memoryBytes,
            null);
    Pod pod = new Pod("uid-1", 1);
    host.exec("ip", "netns", "add", NETWORK.name());
    Path folder = Files.createTempDirectory("crowdlab-remote");
    try {
      Podman podman =
          new Podman(
              command -> run(host, command.words()),
              Runnable::run,
              folder,
              new PulledImages(folder),
              List.of(),
              true);
      podman.create(
          new Plan(
              pod,
              NETWORK,
              Runs.of(1, List.of(container), List.of(), new ToAgent.VmLimits(1, 0, 0)),
              null));
      podman.start(pod, List.of(CONTAINER));
    } finally {
      Files.delete(folder);
    }
    return new RemotePod(host, pod);
  }

  /** Files that are named travel with it; a status other than 0 is an exception. */
  private static Result run(LabHost host, List<String> words) {
    for (String word : words) {
      Path file = Path.of(word);
      if (file.isAbsolute() && Files.isRegularFile(file)) {
        host.exec("mkdir", "-p", file.getParent().toString());
        try {
          host.write(word, Files.readString(file));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return new Result(0, host.exec(words.toArray(String[]::new)), "");
  }

  /** Podman's name of the container. */
  public String container() {
    return pod.container(CONTAINER);
  }

  @Override
  public void close() {
    host.exec("podman", "pod", "rm", "--force", "--time", "0", pod.name());
    host.exec("ip", "netns", "delete", NETWORK.name());
  }
}
