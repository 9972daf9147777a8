package dev.crowdlab.operator;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.api.LabTeam;
import dev.crowdlab.core.TeamRef;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.AgentListener;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.protocol.FromAgent.Notice;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import java.util.Collection;
import java.util.function.Function;

/** Passes what the hub hears on to the reconcilers, so that a fault is acted on when it is seen. */
final class HubNews implements AgentListener {

  private final SimpleInboundEventSource<ContributedVM> machines;
  private final SimpleInboundEventSource<LabTeam> teams;
  private final Function<VmRef, Collection<TeamRef>> boundTo;

  /**
   * @param boundTo the teams that are bound to a machine, or were, from a cache
   */
  HubNews(
      SimpleInboundEventSource<ContributedVM> machines,
      SimpleInboundEventSource<LabTeam> teams,
      Function<VmRef, Collection<TeamRef>> boundTo) {
    this.machines = machines;
    this.teams = teams;
    this.boundTo = boundTo;
  }

  @Override
  public void sessionChanged(VmRef vm) {
    wake(vm);
  }

  @Override
  public void healthChanged(VmRef vm, VmHealth health) {
    wake(vm);
  }

  @Override
  public void teamChanged(VmRef vm, String namespace, String name) {
    teams.propagateEvent(new ResourceID(name, namespace));
    // What a machine still runs decides whether it may carry teams.
    machines.propagateEvent(new ResourceID(vm.name(), vm.namespace()));
  }

  @Override
  public void notice(VmRef vm, Notice.Kind kind) {
    wake(vm);
  }

  /** Teams first: theirs is the recovery. */
  private void wake(VmRef vm) {
    for (TeamRef team : boundTo.apply(vm)) {
      teams.propagateEvent(new ResourceID(team.name(), team.namespace()));
    }
    machines.propagateEvent(new ResourceID(vm.name(), vm.namespace()));
  }
}
