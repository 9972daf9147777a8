package dev.crowdlab.team;

import dev.crowdlab.api.ContainerSpec;
import dev.crowdlab.core.Outcome;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Agents;
import dev.crowdlab.protocol.ToAgent;
import dev.crowdlab.protocol.ToAgent.RegistryAuth;
import java.util.List;
import java.util.Optional;

/** Has a machine fetch images ahead: what needs no fence does not wait for one. */
final class Images {

  private final Agents agents;
  private final PullSecrets secrets;

  Images(Agents agents, PullSecrets secrets) {
    this.agents = agents;
    this.secrets = secrets;
  }

  /** Best effort: what fails here fails again, and is told, when the exercise is started. */
  void prepare(Pass pass, VmRef vm) {
    List<String> images =
        pass.team().getSpec().exercise().containers().stream()
            .map(ContainerSpec::image)
            .distinct()
            .toList();
    if (secrets.of(pass.team())
        instanceof Outcome.Done<Optional<RegistryAuth>>(Optional<RegistryAuth> auth)) {
      agents.prepare(vm, new ToAgent.Prepare(pass.ref().uid(), images, auth.orElse(null)));
    }
  }
}
