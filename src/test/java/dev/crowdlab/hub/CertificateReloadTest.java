package dev.crowdlab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CertificateReloadTest {

  private final ManualTime time = new ManualTime();
  private final FakeSecrets secrets = new FakeSecrets();
  private final HubIdentity identity =
      new HubIdentity(
          secrets, "crowdlab-hub-tls", List.of("127.0.0.1"), time.clock(), new SecureRandom());
  private final HubSettings settings =
      HubSettings.of(
          new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0),
          List.of(InetSocketAddress.createUnresolved("127.0.0.1", 0)));
  private final Tokens tokens = new Tokens(secrets, time.clock(), new SecureRandom());
  private final HubMetrics metrics = new HubMetrics(new SimpleMeterRegistry());
  private final Dispatcher news = new Dispatcher();
  private final HubServer server =
      new HubServer(
          settings,
          tokens,
          new HubAgents(
              HubContext.of(
                  settings.detector(),
                  settings.witnesses(),
                  time.clock(),
                  time,
                  (sshd, connect, banner, heard) -> {},
                  (question, answer) -> {},
                  news,
                  metrics,
                  () -> "nonce"),
              tokens,
              settings.rotateTokensAfter(),
              Runnable::run),
          metrics,
          time,
          time.clock());

  @AfterEach
  void close() {
    server.close();
    news.close();
  }

  @Test
  void aRenewedCertificateIsServedWithoutARestartAndOpenConnectionsStay() throws Exception {
    server.open(identity.ensure());
    try (SSLSocket open = handshake()) {
      X509Certificate before = certificate(open);

      time.pass(Pki.SERVER_LIFE.minus(Duration.ofDays(1)));
      server.renew(identity.ensure());

      try (SSLSocket fresh = handshake()) {
        assertThat(certificate(fresh)).isNotEqualTo(before);
        assertThat(certificate(fresh).getNotAfter()).isAfter(before.getNotAfter());
      }
      open.getOutputStream()
          .write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertThat(open.getInputStream().read()).isEqualTo('H');
    }
  }

  @Test
  void aServerThatWasClosedCanBeOpenedAgain() throws Exception {
    server.open(identity.ensure());
    server.close();

    server.open(identity.ensure());

    try (SSLSocket socket = handshake()) {
      assertThat(certificate(socket)).isNotNull();
    }
  }

  private static X509Certificate certificate(SSLSocket socket) throws Exception {
    return (X509Certificate) socket.getSession().getPeerCertificates()[0];
  }

  private SSLSocket handshake() throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new Anybody()}, null);
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket();
    socket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), server.port()), 5_000);
    socket.setSoTimeout(5_000);
    socket.startHandshake();
    return socket;
  }

  /** The manual clock may be years away from the certificate's. */
  private static final class Anybody implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
