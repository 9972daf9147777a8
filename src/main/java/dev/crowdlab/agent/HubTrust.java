package dev.crowdlab.agent;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Instant;
import java.util.Date;
import java.util.HashSet;
import java.util.Set;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Trusts the hub's own authority and no other, whatever the VM's clock says.
 *
 * <p>The certificates that may be trusted were learnt over the pinned SSH connection, and are
 * replaced the same way: that, and not a date, is how one is withdrawn. A VM's clock on the other
 * hand is often wrong by hours or years, and a VM that cannot connect cannot be told so. So the
 * date of the check is the VM's, moved into the time in which the presented chain is valid. All
 * else is checked as ever: signatures, constraints, usage, and the name or address that was
 * dialled.
 *
 * <p>The file is read at each handshake: an authority that is renewed with overlap counts at once.
 */
final class HubTrust extends X509ExtendedTrustManager {

  private final Path caFile;
  private final Clock clock;

  HubTrust(Path caFile, Clock clock) {
    this.caFile = caFile;
    this.clock = clock;
  }

  /** A TLS context that trusts only the hub. */
  SSLContext context() {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {this}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this runtime has no TLS", e);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    delegate(chain).checkServerTrusted(chain, authType, engine);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    delegate(chain).checkServerTrusted(chain, authType, socket);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    throw new CertificateException("a check without the name that was dialled proves nothing");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    throw new CertificateException("the agent serves nobody");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    throw new CertificateException("the agent serves nobody");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    throw new CertificateException("the agent serves nobody");
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return new X509Certificate[0];
  }

  private X509ExtendedTrustManager delegate(X509Certificate[] chain) throws CertificateException {
    try {
      PKIXBuilderParameters parameters =
          new PKIXBuilderParameters(anchors(), new X509CertSelector());
      parameters.setRevocationEnabled(false);
      parameters.setDate(Date.from(clamped(clock.instant(), chain)));
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(new CertPathTrustManagerParameters(parameters));
      for (TrustManager manager : factory.getTrustManagers()) {
        if (manager instanceof X509ExtendedTrustManager extended) {
          return extended;
        }
      }
      throw new CertificateException("this runtime has no PKIX trust manager");
    } catch (IOException | GeneralSecurityException e) {
      throw new CertificateException("the hub's authority cannot be read: " + e.getMessage(), e);
    }
  }

  private Set<TrustAnchor> anchors() throws IOException, CertificateException {
    Set<TrustAnchor> anchors = new HashSet<>();
    try (InputStream stream = Files.newInputStream(caFile)) {
      for (Certificate certificate :
          CertificateFactory.getInstance("X.509").generateCertificates(stream)) {
        anchors.add(new TrustAnchor((X509Certificate) certificate, null));
      }
    }
    return anchors;
  }

  /** The instant, moved into the time in which every certificate of the chain is valid. */
  static Instant clamped(Instant now, X509Certificate[] chain) {
    Instant from = Instant.MIN;
    Instant to = Instant.MAX;
    for (X509Certificate certificate : chain) {
      Instant begin = certificate.getNotBefore().toInstant();
      Instant end = certificate.getNotAfter().toInstant();
      from = begin.isAfter(from) ? begin : from;
      to = end.isBefore(to) ? end : to;
    }
    if (from.isAfter(to)) {
      return now;
    }
    return now.isBefore(from) ? from : now.isAfter(to) ? to : now;
  }
}
