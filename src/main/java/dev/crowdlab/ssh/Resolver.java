package dev.crowdlab.ssh;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/** Turns a host into addresses; may block. */
@FunctionalInterface
public interface Resolver {

  /** At least one address, the preferred one first. */
  List<InetAddress> resolve(String host) throws UnknownHostException;

  /** The system's resolver. */
  static Resolver system() {
    return host -> List.of(InetAddress.getAllByName(host));
  }
}
