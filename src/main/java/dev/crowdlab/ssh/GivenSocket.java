package dev.crowdlab.ssh;

import java.net.InetAddress;
import java.net.Socket;
import javax.net.SocketFactory;

/** Hands sshj the socket that is connected to the checked address. */
final class GivenSocket extends SocketFactory {

  private final Socket socket;

  GivenSocket(Socket socket) {
    this.socket = socket;
  }

  @Override
  public Socket createSocket() {
    return socket;
  }

  @Override
  public Socket createSocket(String host, int port) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress local, int localPort) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Socket createSocket(InetAddress host, int port) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
    throw new UnsupportedOperationException();
  }
}
