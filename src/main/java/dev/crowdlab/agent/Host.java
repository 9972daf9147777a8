package dev.crowdlab.agent;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.time.Duration;

/** All that a team's worker does to the machine. */
record Host(
    Pods pods,
    Mounts mounts,
    Firewall firewall,
    Epochs epochs,
    Capacity capacity,
    RunFiles files,
    Connector connector) {

  /** Tells whether something listens on a port of this machine. */
  interface Connector {

    boolean accepts(int port);

    /** Connects for real, waiting at most the given time. */
    static Connector tcp(Duration atMost) {
      return port -> {
        SocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        try (Socket socket = new Socket()) {
          socket.connect(address, (int) atMost.toMillis());
          return true;
        } catch (IOException e) {
          return false;
        }
      };
    }
  }
}
