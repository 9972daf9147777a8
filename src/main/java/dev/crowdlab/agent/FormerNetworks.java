package dev.crowdlab.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.crowdlab.agent.Commands.Command;
import dev.crowdlab.agent.Commands.Result;
import dev.crowdlab.agent.Pods.Pod;
import dev.crowdlab.protocol.RunFailure;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * Networks, and those that earlier agents had podman make: a pod that runs in one when the agent is
 * replaced stays in it, filtered like all others, until it is gone. None is made any more.
 */
final class FormerNetworks implements Networks {

  private static final Logger LOG = Logger.getLogger(FormerNetworks.class.getName());
  private static final Duration DEADLINE = Duration.ofSeconds(20);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A network as podman names it; its bridge, and the pod's address in it. */
  private record Former(String name, Network network) {}

  private final Commands commands;
  private final Networks networks;

  // Guarded by this.
  private final Map<Pod, Former> formers = new HashMap<>();

  FormerNetworks(Commands commands, Networks networks) {
    this.commands = commands;
    this.networks = networks;
  }

  @Override
  public Network take(Pod pod) throws RunException {
    synchronized (this) {
      Former former = formers.get(pod);
      if (former != null) {
        return former.network();
      }
    }
    return networks.take(pod);
  }

  @Override
  public void adopt(Pod pod, String name) throws RunException {
    if (!name.isEmpty()) {
      networks.adopt(pod, name);
      return;
    }
    Former former = find(pod);
    synchronized (this) {
      formers.put(pod, former);
    }
  }

  private Former find(Pod pod) throws RunException {
    JsonNode container = podman("inspect", "--type", "container", pod.container("infra")).path(0);
    for (Map.Entry<String, JsonNode> entry :
        container.path("NetworkSettings").path("Networks").properties()) {
      String bridge =
          podman("network", "inspect", entry.getKey()).path(0).path("network_interface").asText();
      String address = entry.getValue().path("IPAddress").asText();
      if (!bridge.isEmpty() && Cidr.parse(address).isPresent()) {
        return new Former(entry.getKey(), new Network(bridge, address));
      }
    }
    throw new RunException(RunFailure.INTERNAL, "its network is gone");
  }

  private JsonNode podman(String... words) throws RunException {
    Result result =
        commands.run(
            Command.of(DEADLINE, Stream.concat(Stream.of("podman"), Stream.of(words)).toList()));
    try {
      if (result.ok()) {
        return JSON.readTree(result.out());
      }
    } catch (JsonProcessingException e) {
      LOG.fine("podman's answer is not JSON");
    }
    throw new RunException(
        RunFailure.INTERNAL, "podman does not say what its network is: " + result.reason());
  }

  @Override
  public void release(Pod pod) {
    Former former;
    synchronized (this) {
      former = formers.remove(pod);
    }
    if (former == null) {
      networks.release(pod);
    } else {
      remove(former.name());
    }
  }

  private void remove(String name) {
    Result result = commands.run(Command.of(DEADLINE, "podman", "network", "rm", "--force", name));
    if (!result.ok()) {
      LOG.warning("network " + name + " could not be removed: " + result.reason());
    }
  }

  @Override
  public void removeOthers() {
    networks.removeOthers();
    List<String> adopted;
    synchronized (this) {
      adopted = formers.values().stream().map(Former::name).toList();
    }
    Result result =
        commands.run(
            Command.of(
                DEADLINE,
                "podman",
                "network",
                "ls",
                "--quiet",
                "--filter",
                "label=" + Podman.NETWORK_LABEL));
    result
        .out()
        .lines()
        .map(String::strip)
        .filter(name -> !name.isEmpty() && !adopted.contains(name))
        .forEach(this::remove);
  }

  @Override
  public List<String> devices() {
    List<String> bridges;
    synchronized (this) {
      bridges = formers.values().stream().map(former -> former.network().name()).sorted().toList();
    }
    return Stream.concat(networks.devices().stream(), bridges.stream()).toList();
  }
}
