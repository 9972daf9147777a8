package dev.crowdlab.agent;

import java.util.List;

/** Who reaches a team's containers, and whom they reach. Nobody and nothing unless opened. */
interface Firewall {

  /** Replaces what is open for a team; in force when this returns. */
  void open(String teamUid, Opening opening) throws RunException;

  /** Closes all that is open for a team. */
  void close(String teamUid);

  /** Puts the rules in force again: something else on the machine may have flushed them. */
  void renew();

  /**
   * What a team may do.
   *
   * @param bridge the interface of the team's private network
   * @param internet whether its containers reach public addresses
   * @param forbidden public addresses that they do not reach even so: the hub's, the file server's
   * @param ports the ports that the VM publishes
   * @param sources who may connect to those
   */
  record Opening(
      String bridge, boolean internet, List<Cidr> forbidden, List<Port> ports, List<Cidr> sources) {

    public Opening {
      forbidden = List.copyOf(forbidden);
      ports = List.copyOf(ports);
      sources = List.copyOf(sources);
    }
  }

  /** A port of the VM, and the container's behind it. */
  record Port(int hostPort, int containerPort) {}
}
