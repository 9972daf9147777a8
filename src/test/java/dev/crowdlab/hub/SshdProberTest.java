package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SshdProberTest {

  private static final Duration TIMEOUT = Duration.ofMillis(700);

  private final SshdProber prober = new SshdProber();
  private final List<Duration> connects = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    prober.close();
  }

  private ProbeResult probe(int port) throws Exception {
    return probe(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
  }

  private ProbeResult probe(InetSocketAddress sshd) throws Exception {
    CompletableFuture<ProbeResult> result = new CompletableFuture<>();
    prober.probe(
        sshd,
        TIMEOUT,
        TIMEOUT,
        new Prober.Heard() {
          @Override
          public void connected(Duration after) {
            connects.add(after);
          }

          @Override
          public void found(ProbeResult found) {
            result.complete(found);
          }
        });
    return result.get(10, TimeUnit.SECONDS);
  }

  private static ServerSocket listener(int backlog) throws IOException {
    return new ServerSocket(0, backlog, InetAddress.getLoopbackAddress());
  }

  @Test
  void sshdSaysWhoItIs() throws Exception {
    try (SshServer sshd = SshServer.setUpDefaultServer()) {
      sshd.setHost("127.0.0.1");
      sshd.setPort(0);
      sshd.setKeyPairProvider(new SimpleGeneratorHostKeyProvider());
      sshd.start();

      assertThat(probe(sshd.getPort())).isEqualTo(ProbeResult.BANNER);
      assertThat(connects).hasSize(1);
    }
  }

  @Test
  void weSayWhoWeAreAndClose() throws Exception {
    try (ServerSocket sshd = listener(5)) {
      CompletableFuture<String> heard = new CompletableFuture<>();
      Thread.ofVirtual()
          .start(
              () -> {
                try (Socket socket = sshd.accept()) {
                  socket
                      .getOutputStream()
                      .write("SSH-2.0-Test\r\n".getBytes(StandardCharsets.US_ASCII));
                  InputStream in = socket.getInputStream();
                  heard.complete(new String(in.readAllBytes(), StandardCharsets.US_ASCII));
                } catch (IOException e) {
                  heard.completeExceptionally(e);
                }
              });

      assertThat(probe(sshd.getLocalPort())).isEqualTo(ProbeResult.BANNER);
      assertThat(heard.get(5, TimeUnit.SECONDS)).isEqualTo("SSH-2.0-CrowdLab_probe\r\n");
    }
  }

  @Test
  void aListenerThatSaysNothingIsMuteWithinTheTimeout() throws Exception {
    try (ServerSocket silent = listener(5)) {
      long begin = System.nanoTime();

      assertThat(probe(silent.getLocalPort())).isEqualTo(ProbeResult.MUTE);
      assertThat(connects).as("that it is connected is said at once").hasSize(1);
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(TIMEOUT.multipliedBy(3));
    }
  }

  @Test
  void aClosedPortIsRefused() throws Exception {
    int port;
    try (ServerSocket gone = listener(1)) {
      port = gone.getLocalPort();
    }

    assertThat(probe(port)).isEqualTo(ProbeResult.REFUSED);
  }

  @Test
  void nobodyThereIsNothing() throws Exception {
    // A listener whose queue is full answers no SYN: as silent as a machine without power.
    try (ServerSocket full = listener(1);
        Socket a = new Socket();
        Socket b = new Socket()) {
      a.connect(full.getLocalSocketAddress(), 1_000);
      b.connect(full.getLocalSocketAddress(), 1_000);

      assertThat(probe(full.getLocalPort())).isEqualTo(ProbeResult.NOTHING);
    }
  }

  @Test
  void aFloodInsteadOfABannerIsReadNoFurtherThanABanner() throws Exception {
    try (ServerSocket flood = listener(5)) {
      answering(flood, "SSH-".repeat(4_096), 100_000);

      assertThat(probe(flood.getLocalPort())).isEqualTo(ProbeResult.OTHER);
    }
  }

  @Test
  void anSshdThatRefusesInWordsLives() throws Exception {
    try (ServerSocket sshd = listener(5)) {
      answering(sshd, "Exceeded MaxStartups\r\n", 1);

      assertThat(probe(sshd.getLocalPort())).isEqualTo(ProbeResult.OTHER);
    }
  }

  /** Says this so often to the first who comes. */
  private static void answering(ServerSocket listener, String text, int times) {
    Thread.ofVirtual()
        .start(
            () -> {
              try (Socket socket = listener.accept()) {
                for (int i = 0; i < times; i++) {
                  socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
                }
              } catch (IOException e) {
                // The prober went away, as it should.
              }
            });
  }

  @Test
  void whatWeCannotSendTellsNothingOfTheMachine() throws Exception {
    InetSocketAddress noName = InetSocketAddress.createUnresolved("[no-address", 22);

    assertThat(probe(noName)).isEqualTo(ProbeResult.UNABLE);
    assertThat(connects).isEmpty();
  }
}
