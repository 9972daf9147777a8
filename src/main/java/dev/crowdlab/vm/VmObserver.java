package dev.crowdlab.vm;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.crowdlab.api.Binding;
import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.ContributedVMStatus;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.api.Reason;
import dev.crowdlab.api.SshSpec;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.hub.Entitlement;
import dev.crowdlab.ssh.HostKeyPin;
import dev.crowdlab.ssh.SshCredentials;
import dev.crowdlab.ssh.SshTarget;
import io.fabric8.kubernetes.api.model.Secret;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Puts together what is known of a machine at one moment. */
final class VmObserver {

  private final Agents agents;
  private final Enrolment enrolment;
  private final InstantSource clock;

  VmObserver(Agents agents, Enrolment enrolment, InstantSource clock) {
    this.agents = agents;
    this.enrolment = enrolment;
    this.clock = clock;
  }

  VmView observe(ContributedVM vm, VmSurroundings around) {
    VmRef ref = VmView.ref(vm);
    Instant now = clock.instant();
    List<LabTeam> bound =
        around.teams().stream().filter(team -> bindingTo(ref, team).isPresent()).toList();
    return new VmView(
        vm,
        now,
        target(vm, around.secret()),
        inputs(vm, around.secret()),
        Twins.olderTwin(vm, around.all()).map(VmObserver::name),
        agents.health(ref),
        agents.session(ref),
        agents.disk(ref),
        enrolment.agentVersion(),
        names(bound.stream()),
        names(bound.stream().filter(team -> team.getMetadata().getDeletionTimestamp() == null)),
        stale(ref, around.teams()),
        Availability.at(vm.getSpec().availability(), now));
  }

  /** A copy of the object with another status; the object itself stays as the cache has it. */
  static ContributedVM withStatus(ContributedVM vm, ContributedVMStatus status) {
    ContributedVM copy = new ContributedVM();
    copy.setMetadata(vm.getMetadata());
    copy.setSpec(vm.getSpec());
    copy.setStatus(status);
    return copy;
  }

  /** How to reach the machine. */
  static Outcome<SshTarget> target(ContributedVM vm, Optional<Secret> secret) {
    SshSpec ssh = vm.getSpec().ssh();
    Outcome<SshCredentials> credentials =
        Credentials.from(ssh.credentialsSecretRef().name(), secret);
    HostKeyPin pin;
    try {
      pin = HostKeyPin.parse(pinned(vm));
    } catch (IllegalArgumentException e) {
      return Outcome.refused(
          Reason.HOST_KEY_NOT_APPROVED, "spec.ssh.hostKey is of no use: " + e.getMessage());
    }
    return credentials.map(
        usable -> new SshTarget(ssh.host(), ssh.port(), ssh.user(), ssh.usesSudo(), pin, usable));
  }

  private static @Nullable String pinned(ContributedVM vm) {
    String inSpec = vm.getSpec().ssh().hostKey();
    return inSpec != null ? inSpec : vm.getStatus().approvedHostKey();
  }

  /** Whether the machine still runs what it is not entitled to. */
  private boolean stale(VmRef vm, List<LabTeam> teams) {
    return agents.reports(vm).stream()
        .anyMatch(report -> Entitlement.of(vm, report, teams.stream()) == Entitlement.OVER);
  }

  private static Optional<Binding> bindingTo(VmRef vm, LabTeam team) {
    return Optional.ofNullable(team.getStatus().binding())
        .filter(binding -> vm.uid().equals(binding.vmUid()));
  }

  /**
   * All that an attempt to integrate the machine depends on; when it changes, another attempt is
   * worth while.
   */
  private String inputs(ContributedVM vm, Optional<Secret> secret) {
    String text =
        String.join(
            "\n",
            String.valueOf(vm.getSpec().ssh()),
            String.valueOf(vm.getSpec().integrity()),
            String.valueOf(pinned(vm)),
            secret
                .map(s -> s.getMetadata().getUid() + "@" + s.getMetadata().getResourceVersion())
                .orElse("-"),
            enrolment.hubUrl(),
            enrolment.caPem(),
            enrolment.agentVersion());
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }

  private static List<String> names(Stream<LabTeam> teams) {
    return teams.map(team -> team.getMetadata().getName()).sorted().toList();
  }

  private static String name(ContributedVM vm) {
    return vm.getMetadata().getNamespace() + "/" + vm.getMetadata().getName();
  }
}
