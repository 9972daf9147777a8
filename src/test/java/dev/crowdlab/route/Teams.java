package dev.crowdlab.route;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.ContainerPort;
import dev.crowdlab.api.ContainerSpec;
import dev.crowdlab.api.Egress;
import dev.crowdlab.api.Exercise;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.PlacementSpec;
import dev.crowdlab.api.PortProtocol;
import dev.crowdlab.api.RecoverySpec;
import dev.crowdlab.api.WorkspaceSpec;
import dev.crowdlab.core.TeamRef;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes LabTeams for the tests of this package. */
final class Teams {

  private Teams() {}

  static final AccessSpec ACCESS = access("team-7.lab.example.org", "/");

  static LabTeam team(String namespace, String name, AccessSpec access) {
    LabTeam team = new LabTeam();
    team.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace(namespace)
            .withName(name)
            .withUid("uid-" + namespace + "-" + name)
            .withCreationTimestamp("2026-01-01T00:00:00Z")
            .build());
    team.setSpec(spec(access));
    return team;
  }

  static LabTeamSpec spec(AccessSpec access) {
    ContainerSpec web =
        new ContainerSpec(
            "web",
            "localhost/exercise:1",
            List.of(),
            List.of(),
            List.of(),
            List.of(new ContainerPort("http", 8080, PortProtocol.TCP)),
            null,
            "/work");
    return new LabTeamSpec(
        new Exercise(List.of(web), Egress.NONE, null),
        List.of("bob"),
        WorkspaceSpec.DEFAULT,
        access,
        PlacementSpec.DEFAULT,
        RecoverySpec.DEFAULT,
        false,
        null);
  }

  static AccessSpec access(String host, String path) {
    return new AccessSpec(host, path, "http", "contour", null, Map.of());
  }

  static AccessSpec access(
      String host, String path, @Nullable String tlsSecretName, Map<String, String> annotations) {
    return new AccessSpec(host, path, "http", null, tlsSecretName, annotations);
  }

  static LabTeam created(LabTeam team, String timestamp) {
    team.getMetadata().setCreationTimestamp(timestamp);
    return team;
  }

  static LabTeam routed(LabTeam team) {
    team.setStatus(team.getStatus().toBuilder().url(RouteUrl.of(team.getSpec().access())).build());
    return team;
  }

  static TeamRef ref(LabTeam team) {
    return new TeamRef(
        team.getMetadata().getNamespace(),
        team.getMetadata().getName(),
        team.getMetadata().getUid());
  }
}
