package dev.crowdlab.agent;

import java.util.List;

/** Who reaches a team's containers, and whom they reach. Nobody and nothing unless opened. */
interface Firewall {

  /**
   * Replaces what is open for a team; in force when this returns.
   *
   * @throws RunException when one of its ports is another team's, or the VM cannot do it
   */
  void open(String teamUid, Opening opening) throws RunException;

  /** Closes all that is open for a team. */
  void close(String teamUid);

  /** Takes every rule away when nothing is open and no team's network is left. */
  void tidy();

  /** Puts the rules in force again: something else on the machine may have flushed them. */
  void renew();

  /**
   * What a team may do.
   *
   * @param device the VM's end of the link to the team's private network
   * @param address the containers' address in it
   * @param internet whether its containers reach public addresses
   * @param forbidden public addresses that they do not reach even so: the hub's, the file server's
   * @param ports the ports that the VM publishes: what comes there is passed on to the address
   * @param sources who may connect to those
   */
  record Opening(
      String device,
      String address,
      boolean internet,
      List<Cidr> forbidden,
      List<Port> ports,
      List<Cidr> sources) {

    public Opening {
      forbidden = List.copyOf(forbidden);
      ports = List.copyOf(ports);
      sources = List.copyOf(sources);
    }

    boolean sharesAPort(Opening other) {
      return ports.stream()
          .anyMatch(
              port -> other.ports.stream().anyMatch(its -> its.hostPort() == port.hostPort()));
    }
  }

  /** A port of the VM, and the container's behind it. */
  record Port(int hostPort, int containerPort) {}
}
