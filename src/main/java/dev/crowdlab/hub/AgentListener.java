package dev.crowdlab.hub;

import dev.crowdlab.core.VmRef;
import dev.crowdlab.protocol.FromAgent;

/**
 * Hears of changes at once. Called on the hub's threads: implementations only pass the news on and
 * return.
 */
public interface AgentListener {

  /** A session came, went, or fell into conflict, or tells of a run that was not ordered. */
  void sessionChanged(VmRef vm);

  /** The failure detector thinks otherwise than before. */
  void healthChanged(VmRef vm, VmHealth health);

  /** A team's run changed, or is gone. */
  void teamChanged(VmRef vm, String namespace, String name);

  /** The contributor, or the machine's own shutdown, asks for something. */
  void notice(VmRef vm, FromAgent.Notice.Kind kind);

  /** Its agent says otherwise of the machine's disk than before in this session. */
  void diskChanged(VmRef vm);
}
