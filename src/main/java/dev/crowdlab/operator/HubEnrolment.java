package dev.crowdlab.operator;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.hub.Hub;
import dev.crowdlab.vm.Enrolment;

/** What machines need to enrol, from the hub and from the agent that this operator brings. */
record HubEnrolment(Hub hub, String agentVersion) implements Enrolment {

  @Override
  public boolean isOpen() {
    return hub.isOpen();
  }

  @Override
  public String hubUrl() {
    return hub.url();
  }

  @Override
  public String caPem() {
    return hub.caPem().orElseThrow(() -> new IllegalStateException("the hub is not open"));
  }

  @Override
  public String issueToken(VmRef vm) {
    return hub.tokens().issue(vm);
  }

  @Override
  public boolean acceptsToken(VmRef vm, String sha256) {
    return hub.tokens().accepts(vm, sha256);
  }

  @Override
  public void revoke(VmRef vm) {
    hub.tokens().revoke(vm);
  }
}
