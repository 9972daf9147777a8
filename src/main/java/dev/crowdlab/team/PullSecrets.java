package dev.crowdlab.team;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import java.util.Optional;

/** The credentials for the registries of a team's images. */
public interface PullSecrets {

  /**
   * What {@code spec.exercise.imagePullSecretRef} leads to; empty when it names none. Fails with
   * {@code SECRET_NOT_FOUND} or {@code SECRET_INVALID}.
   */
  Outcome<Optional<RegistryAuth>> of(LabTeam team);
}
