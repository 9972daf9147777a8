package dev.crowdlab.team;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ContainerSpec;
import dev.crowdlab.api.Exercise;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Resources;
import dev.crowdlab.protocol.ToAgent.Container;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a machine is told of a team's spec. */
final class RunOrderTest {

  @Test
  void aContainersLimitsAreTold() {
    Container container =
        ordered(
            new Resources(
                Map.of("cpu", new Quantity("500m"), "memory", new Quantity("64Mi")), Map.of()));

    assertThat(container.cpuMillis()).isEqualTo(500);
    assertThat(container.memoryBytes()).isEqualTo(64 << 20);
  }

  @Test
  void aContainerWithoutLimitsHasNone() {
    Container container = ordered(null);

    assertThat(container.cpuMillis()).isZero();
    assertThat(container.memoryBytes()).isZero();
  }

  private static Container ordered(@Nullable Resources resources) {
    ContainerSpec web = Samples.container("localhost/exercise:1");
    ContainerSpec limited =
        new ContainerSpec(
            web.name(),
            web.image(),
            web.command(),
            web.args(),
            web.env(),
            web.ports(),
            resources,
            web.workspaceMountPath());
    LabTeam team = Samples.team("team-7");
    team.setSpec(Samples.with(team.getSpec(), new Exercise(List.of(limited), null, null)));
    return new RunOrder(List.of())
        .of(
            team,
            new Binding("alice-1", "uid-alice-1", 1, null, "10.77.1.2", 30_000, 1, null),
            null,
            VmView.of(Samples.vm("alice-1", "alice", 4)),
            null)
        .containers()
        .getFirst();
  }
}
