package dev.crowdlab.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RelayTest {

  private static final InetAddress HERE = InetAddress.getLoopbackAddress();

  private ServerSocket server;
  private Relay relay;
  private Socket client;
  private Socket peer;

  @BeforeEach
  void connect() throws IOException {
    server = new ServerSocket(0, 5, HERE);
    int port = WorkFolder.freePort();
    relay =
        new Relay(
            new InetSocketAddress(HERE, port), new InetSocketAddress(HERE, server.getLocalPort()));
    client = new Socket(HERE, port);
    peer = server.accept();
    client.setSoTimeout(10_000);
    peer.setSoTimeout(10_000);
  }

  @AfterEach
  void close() throws IOException {
    client.close();
    peer.close();
    relay.close();
    server.close();
  }

  @Test
  void bytesPassBothWaysInOrderWhateverTheDelay() throws IOException {
    relay.delay(Duration.ofMillis(40));
    client.getOutputStream().write('a');
    relay.delay(Duration.ZERO);
    client.getOutputStream().write('b');
    peer.getOutputStream().write('c');

    assertThat(peer.getInputStream().readNBytes(2)).containsExactly('a', 'b');
    assertThat(client.getInputStream().read()).isEqualTo('c');
  }

  @Test
  void eachWayTakesTheDelay() throws IOException {
    relay.delay(Duration.ofMillis(60));
    long began = System.nanoTime();

    client.getOutputStream().write('a');
    peer.getInputStream().read();
    peer.getOutputStream().write('b');
    client.getInputStream().read();

    assertThat(Duration.ofNanos(System.nanoTime() - began))
        .isGreaterThanOrEqualTo(Duration.ofMillis(120));
  }

  @Test
  void anEndIsPassedOnAsOneAndTheOtherWayStaysOpen() throws IOException {
    client.shutdownOutput();

    assertThat(peer.getInputStream().read()).isEqualTo(-1);
    peer.getOutputStream().write('c');
    assertThat(client.getInputStream().read()).isEqualTo('c');
  }

  @Test
  void whereNobodyListensTheConnectionEnds() throws IOException {
    server.close();
    try (Socket late = new Socket(HERE, client.getPort())) {
      late.setSoTimeout(10_000);
      assertThat(late.getInputStream().read()).isEqualTo(-1);
    }
  }
}
