package dev.crowdlab.team;

import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.TeamRef;
import java.util.List;
import java.util.Optional;

/**
 * The LabTeams in the API server. What is not said to be cached is read live: a binding must be
 * decided on what stands there, never on what stood there.
 *
 * <p>Every method but the cached ones may throw {@link
 * io.fabric8.kubernetes.client.KubernetesClientException} when the API server does not answer.
 */
public interface Teams {

  /** The team as it is now. */
  Optional<LabTeam> live(String namespace, String name);

  /** Every team that the operator watches, from one consistent list. */
  List<LabTeam> listLive();

  /**
   * Replaces the status, provided that the team still has the {@code resourceVersion} that {@code
   * team} carries.
   */
  Written write(LabTeam team);

  /** The namespace's teams, from the cache. */
  List<LabTeam> cached(String namespace);

  /** Every team that the operator watches, from the cache. */
  List<LabTeam> cached();

  /** The teams whose binding, or an earlier one, names the machine of this UID; from the cache. */
  List<TeamRef> boundTo(String vmUid);

  /** The teams whose {@code imagePullSecretRef} is this Secret; from the cache. */
  List<TeamRef> pullingWith(String namespace, String secret);

  /** What became of a write. */
  sealed interface Written {}

  /** The status stands; {@code team} is what the API server answered. */
  record Stands(LabTeam team) implements Written {}

  /** Somebody wrote in between: observe again. */
  record Conflict() implements Written {}

  /** The team is no more. */
  record Gone() implements Written {}
}
