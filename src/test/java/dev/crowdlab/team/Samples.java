package dev.crowdlab.team;

import dev.crowdlab.api.AccessSpec;
import dev.crowdlab.api.Capacity;
import dev.crowdlab.api.ConditionType;
import dev.crowdlab.api.ContainerPort;
import dev.crowdlab.api.ContainerSpec;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMSpec;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.Contributor;
import dev.crowdlab.api.Exercise;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.LabTeamSpec;
import dev.crowdlab.api.PlacementSpec;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.RecoveryPolicy;
import dev.crowdlab.api.RecoverySpec;
import dev.crowdlab.api.Resources;
import dev.crowdlab.api.SecretRef;
import dev.crowdlab.api.SshSpec;
import dev.crowdlab.api.WorkspaceSpec;
import dev.crowdlab.core.Conditions;
import io.fabric8.kubernetes.api.model.Quantity;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Teams and machines as users write them. */
final class Samples {

  static final Instant T0 = Instant.parse("2026-01-02T03:00:00Z");

  private Samples() {}

  static LabTeam team(String name) {
    LabTeam team = new LabTeam();
    team.getMetadata().setNamespace("lab");
    team.getMetadata().setName(name);
    team.getMetadata().setUid("uid-" + name);
    team.getMetadata().setGeneration(1L);
    team.getMetadata().setResourceVersion("1");
    team.getMetadata().setCreationTimestamp(T0.toString());
    team.setSpec(spec(name, "localhost/exercise:1"));
    return team;
  }

  static LabTeamSpec spec(String host, String image) {
    return new LabTeamSpec(
        new Exercise(List.of(container(image)), null, null),
        List.of("bob"),
        null,
        new AccessSpec(host + ".lab.example.org", "/", "http", "contour", null, null),
        null,
        null,
        false,
        null);
  }

  static LabTeamSpec with(LabTeamSpec spec, Exercise exercise) {
    return new LabTeamSpec(
        exercise,
        spec.members(),
        spec.workspace(),
        spec.access(),
        spec.placement(),
        spec.recovery(),
        spec.suspended(),
        spec.expiresAfter());
  }

  static LabTeamSpec with(LabTeamSpec spec, WorkspaceSpec workspace) {
    return new LabTeamSpec(
        spec.exercise(),
        spec.members(),
        workspace,
        spec.access(),
        spec.placement(),
        spec.recovery(),
        spec.suspended(),
        spec.expiresAfter());
  }

  static LabTeamSpec with(LabTeamSpec spec, AccessSpec access) {
    return new LabTeamSpec(
        spec.exercise(),
        spec.members(),
        spec.workspace(),
        access,
        spec.placement(),
        spec.recovery(),
        spec.suspended(),
        spec.expiresAfter());
  }

  static LabTeamSpec with(LabTeamSpec spec, PlacementSpec placement) {
    return new LabTeamSpec(
        spec.exercise(),
        spec.members(),
        spec.workspace(),
        spec.access(),
        placement,
        spec.recovery(),
        spec.suspended(),
        spec.expiresAfter());
  }

  static LabTeamSpec with(LabTeamSpec spec, RecoveryPolicy policy) {
    return new LabTeamSpec(
        spec.exercise(),
        spec.members(),
        spec.workspace(),
        spec.access(),
        spec.placement(),
        new RecoverySpec(policy),
        spec.suspended(),
        spec.expiresAfter());
  }

  static LabTeamSpec suspended(LabTeamSpec spec, boolean suspended, @Nullable String expiresAfter) {
    return new LabTeamSpec(
        spec.exercise(),
        spec.members(),
        spec.workspace(),
        spec.access(),
        spec.placement(),
        spec.recovery(),
        suspended,
        expiresAfter);
  }

  static ContainerSpec container(String image) {
    return new ContainerSpec(
        "web",
        image,
        List.of(),
        List.of(),
        List.of(),
        List.of(new ContainerPort("http", 8080, null)),
        new Resources(
            Map.of("cpu", new Quantity("500m"), "memory", new Quantity("256Mi")), Map.of()),
        "/work");
  }

  /** A machine that is Ready. */
  static ContributedVM vm(String name, String contributor, int teams) {
    ContributedVM vm = new ContributedVM();
    vm.getMetadata().setNamespace("lab");
    vm.getMetadata().setName(name);
    vm.getMetadata().setUid("uid-" + name);
    vm.getMetadata().setGeneration(1L);
    vm.getMetadata().setResourceVersion("1");
    vm.getMetadata().setLabels(Map.of("crowdlab.dev/name", name));
    vm.setSpec(
        new ContributedVMSpec(
            new Contributor(contributor, null),
            new SshSpec("10.77.1.2", 22, "root", null, null, new SecretRef(name + "-ssh")),
            new Capacity(teams, new Quantity("4"), new Quantity("8Gi")),
            true,
            false,
            null,
            null));
    return withReady(vm, true);
  }

  static ContributedVM withReady(ContributedVM vm, boolean ready) {
    vm.setStatus(
        ContributedVMStatus.EMPTY.toBuilder()
            .address("10.77.1." + (2 + Math.floorMod(vm.getMetadata().getName().hashCode(), 200)))
            .conditions(
                List.of(
                    ready
                        ? Conditions.isTrue(ConditionType.READY, Reason.READY, "")
                        : Conditions.isFalse(ConditionType.READY, Reason.VM_LOST, "")))
            .build());
    return vm;
  }

  /** The machine with another spec. */
  static ContributedVM withSpec(ContributedVM vm, boolean schedulable, boolean drain) {
    ContributedVMSpec spec = vm.getSpec();
    vm.setSpec(
        new ContributedVMSpec(
            spec.contributor(),
            spec.ssh(),
            spec.capacity(),
            schedulable,
            drain,
            spec.integrity(),
            spec.availability()));
    return vm;
  }

  static VmView view(String name, String contributor, int teams) {
    return VmView.of(vm(name, contributor, teams));
  }
}
