package dev.crowdlab.team;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ContainerPort;
import dev.crowdlab.api.ContainerSpec;
import dev.crowdlab.api.Egress;
import dev.crowdlab.api.EnvVar;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.Resources;
import dev.crowdlab.api.Writes;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.protocol.ToAgent.Container;
import dev.crowdlab.protocol.ToAgent.Mount;
import dev.crowdlab.protocol.ToAgent.PublishedPort;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import dev.crowdlab.protocol.ToAgent.VmLimits;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes the order to run a team: a pure function of its spec and binding. */
final class RunOrder {

  private final List<String> sources;

  /**
   * Orders runs that accept connections from these CIDRs only.
   *
   * @param sources CIDRs
   */
  RunOrder(List<String> sources) {
    this.sources = List.copyOf(sources);
  }

  /**
   * The order.
   *
   * @param mount what the fence gave; null before it
   */
  ToAgent.Run of(
      LabTeam team,
      Binding binding,
      @Nullable Mount mount,
      VmView vm,
      @Nullable RegistryAuth auth) {
    LabTeamSpec spec = team.getSpec();
    VmView.Lent lent = vm.capacity();
    return new ToAgent.Run(
        team.getMetadata().getUid(),
        team.getMetadata().getNamespace(),
        team.getMetadata().getName(),
        binding.epoch(),
        mount == null
            ? null
            : mount.withSynchronous(spec.workspace().writes() == Writes.SYNCHRONOUS),
        spec.exercise().containers().stream().map(RunOrder::container).toList(),
        spec.exercise().egress() == Egress.INTERNET,
        published(spec, binding),
        sources,
        auth,
        new VmLimits(lent.teams(), lent.cpuMillis(), lent.memoryBytes()));
  }

  private static Container container(ContainerSpec container) {
    Map<String, String> environment = new LinkedHashMap<>();
    for (EnvVar variable : container.env()) {
      environment.put(variable.name(), variable.value());
    }
    Resources resources = container.resources();
    return new Container(
        container.name(),
        container.image(),
        container.command(),
        container.args(),
        environment,
        Demand.cpu(limit(resources, "cpu")),
        Demand.bytes(limit(resources, "memory")),
        container.workspaceMountPath());
  }

  private static @Nullable Quantity limit(@Nullable Resources resources, String name) {
    return resources == null ? null : resources.limits().get(name);
  }

  /** Only the port that students reach is published. */
  private static List<PublishedPort> published(LabTeamSpec spec, Binding binding) {
    List<PublishedPort> ports = new ArrayList<>();
    Integer hostPort = binding.port();
    for (ContainerSpec container : spec.exercise().containers()) {
      for (ContainerPort port : container.ports()) {
        if (hostPort != null && spec.access().port().equals(port.name())) {
          ports.add(
              new PublishedPort(
                  container.name(), spec.access().port(), port.containerPort(), hostPort));
        }
      }
    }
    return ports;
  }
}
