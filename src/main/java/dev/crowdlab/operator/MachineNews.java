package dev.crowdlab.operator;

import dev.crowdlab.api.ContributedVM;
import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.AgentListener;
import dev.crowdlab.hub.VmHealth;
import dev.crowdlab.protocol.FromAgent.Notice;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;

/**
 * Passes what the hub hears on to the machines' reconciler, so that a fault is acted on when it is
 * seen.
 */
record MachineNews(SimpleInboundEventSource<ContributedVM> source) implements AgentListener {

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
    // What a machine still runs decides whether it may carry teams.
    wake(vm);
  }

  @Override
  public void notice(VmRef vm, Notice.Kind kind) {
    wake(vm);
  }

  @Override
  public void diskChanged(VmRef vm) {
    wake(vm);
  }

  private void wake(VmRef vm) {
    source.propagateEvent(new ResourceID(vm.name(), vm.namespace()));
  }
}
