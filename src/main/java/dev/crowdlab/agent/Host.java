package dev.crowdlab.agent;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;

/** All that a team's worker does to the machine. */
record Host(
    Pods pods,
    Networks networks,
    Mounts mounts,
    Firewall firewall,
    Epochs epochs,
    Capacity capacity,
    RunFiles files,
    Ports ports) {

  /** Who listens where. */
  interface Ports {

    /** Whether something listens there. */
    boolean answers(String address, int port);

    /** Whether no process of this machine listens on this port. */
    boolean isFree(int port);

    /** Tries it for real, connecting for at most the given time. */
    static Ports ofThisMachine(Duration atMost) {
      return new Ports() {
        @Override
        public boolean answers(String address, int port) {
          try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), (int) atMost.toMillis());
            return true;
          } catch (IOException e) {
            return false;
          }
        }

        @Override
        public boolean isFree(int port) {
          try (ServerSocket socket = new ServerSocket()) {
            // What is left of ended connections holds nothing.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(port));
            return true;
          } catch (IOException e) {
            return false;
          }
        }
      };
    }
  }
}
