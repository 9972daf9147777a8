package dev.crowdlab.hub;

import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Makes, reads and writes the hub's certificates: ECDSA on P-256, which every TLS 1.2 and 1.3
 * knows.
 */
final class Certificates {

  /** Certificates begin a day early: a VM's clock may be slow. */
  private static final Duration EARLY = Duration.ofDays(1);

  private static final Pattern PEM_KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

  /** The types of RFC 5280's GeneralName, as the JDK numbers them. */
  private static final int DNS_NAME = 2;

  private static final int IP_ADDRESS = 7;

  private final SecureRandom random;

  /** A certificate and its key. */
  record Pair(X509Certificate certificate, PrivateKey key) {
    @Override
    public String toString() {
      return "Pair[" + certificate.getSubjectX500Principal() + "]";
    }
  }

  Certificates(SecureRandom random) {
    this.random = random;
  }

  /** A certificate authority that signs servers only. */
  Pair authority(Instant now, Duration life) throws GeneralSecurityException {
    KeyPair keys = keys();
    BigInteger serial = serial();
    // The serial in the name keeps two authorities apart that live at the same time.
    X500Principal name = new X500Principal("CN=CrowdLab hub CA " + serial.toString(16));
    try {
      X509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              name, serial, begin(now), end(now, life), name, keys.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
      builder.addExtension(
          Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
      builder.addExtension(
          Extension.subjectKeyIdentifier,
          false,
          new JcaX509ExtensionUtils().createSubjectKeyIdentifier(keys.getPublic()));
      return new Pair(sign(builder, keys.getPrivate()), keys.getPrivate());
    } catch (CertIOException e) {
      throw new CertificateException(e);
    }
  }

  /** A server's certificate for these addresses and names. */
  Pair server(Pair authority, Collection<String> hosts, Instant now, Duration life)
      throws GeneralSecurityException {
    KeyPair keys = keys();
    try {
      X509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              authority.certificate(),
              serial(),
              begin(now),
              end(now, life),
              new X500Principal("CN=CrowdLab hub"),
              keys.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
      builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
      builder.addExtension(
          Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
      builder.addExtension(
          Extension.authorityKeyIdentifier,
          false,
          new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(authority.certificate()));
      builder.addExtension(
          Extension.subjectAlternativeName,
          false,
          new GeneralNames(
              normal(hosts).stream().map(Certificates::name).toArray(GeneralName[]::new)));
      return new Pair(sign(builder, authority.key()), keys.getPrivate());
    } catch (CertIOException e) {
      throw new CertificateException(e);
    }
  }

  /** The hosts in the one form in which they can be compared. */
  static Set<String> normal(Collection<String> hosts) {
    Set<String> normal = new TreeSet<>();
    for (String host : hosts) {
      normal.add(isLiteral(host) ? literal(host) : host.toLowerCase(Locale.ROOT));
    }
    return normal;
  }

  /** The addresses and names that a certificate is for, as {@link #normal} has them. */
  static Set<String> hosts(X509Certificate certificate) throws CertificateException {
    Collection<List<?>> names = certificate.getSubjectAlternativeNames();
    List<String> hosts = new ArrayList<>();
    if (names != null) {
      for (List<?> name : names) {
        if (name.get(0) instanceof Integer type
            && (type == DNS_NAME || type == IP_ADDRESS)
            && name.get(1) instanceof String host) {
          hosts.add(host);
        }
      }
    }
    return normal(hosts);
  }

  static String pem(X509Certificate certificate) throws CertificateException {
    return pem("CERTIFICATE", certificate.getEncoded());
  }

  static String pem(PrivateKey key) {
    return pem("PRIVATE KEY", key.getEncoded());
  }

  /** Every certificate of a PEM text, in its order; at least one. */
  static List<X509Certificate> certificates(String pem) throws CertificateException {
    List<X509Certificate> certificates = new ArrayList<>();
    for (Certificate certificate :
        CertificateFactory.getInstance("X.509")
            .generateCertificates(
                new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)))) {
      if (certificate instanceof X509Certificate x509) {
        certificates.add(x509);
      }
    }
    if (certificates.isEmpty()) {
      throw new CertificateException("no certificate");
    }
    return certificates;
  }

  /** A PKCS #8 key of a PEM text, of the kind that its certificate has. */
  static PrivateKey key(String pem, X509Certificate certificate) throws GeneralSecurityException {
    Matcher matcher = PEM_KEY.matcher(pem);
    if (!matcher.find()) {
      throw new GeneralSecurityException("no PKCS #8 private key");
    }
    return KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm())
        .generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(matcher.group(1))));
  }

  private static String pem(String what, byte[] der) {
    return "-----BEGIN "
        + what
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der)
        + "\n-----END "
        + what
        + "-----\n";
  }

  private static GeneralName name(String host) {
    return isLiteral(host)
        ? new GeneralName(
            GeneralName.iPAddress, new DEROctetString(InetAddress.ofLiteral(host).getAddress()))
        : new GeneralName(GeneralName.dNSName, host);
  }

  private static boolean isLiteral(String host) {
    return host.indexOf(':') >= 0 || host.matches("[0-9.]+");
  }

  private static String literal(String host) {
    return InetAddress.ofLiteral(host).getHostAddress();
  }

  private static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey key)
      throws CertificateException {
    try {
      return new JcaX509CertificateConverter()
          .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key)));
    } catch (OperatorCreationException e) {
      throw new CertificateException(e);
    }
  }

  private KeyPair keys() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"), random);
    return generator.generateKeyPair();
  }

  private BigInteger serial() {
    return new BigInteger(120, random).add(BigInteger.ONE);
  }

  private static Date begin(Instant now) {
    return Date.from(now.minus(EARLY));
  }

  private static Date end(Instant now, Duration life) {
    return Date.from(now.plus(life));
  }
}
