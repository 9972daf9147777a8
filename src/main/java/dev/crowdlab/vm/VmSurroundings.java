package dev.crowdlab.vm;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import io.fabric8.kubernetes.api.model.Secret;
import java.util.List;
import java.util.Optional;

/**
 * What the cluster holds around a machine.
 *
 * @param all every ContributedVM of the cluster
 * @param secret the Secret that {@code spec.ssh.credentialsSecretRef} names
 * @param teams the LabTeams of the machine's namespace
 */
record VmSurroundings(List<ContributedVM> all, Optional<Secret> secret, List<LabTeam> teams) {
  VmSurroundings {
    all = List.copyOf(all);
    teams = List.copyOf(teams);
  }
}
