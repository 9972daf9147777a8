package dev.crowdlab.testbed;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** An authority and what it signs. */
public final class TestPki {

  private final KeyPair caKey = keyPair();
  private final X500Principal caName = new X500Principal("CN=test authority");
  private final X509Certificate ca;

  public TestPki() {
    Instant now = Instant.now();
    ca = sign(caName, caKey, null, now.minusSeconds(86_400), now.plusSeconds(86_400 * 3_650L));
  }

  /** The authority's certificate in a file. */
  public Path caFile(Path folder) {
    try {
      Path file = folder.resolve("hub-ca.pem");
      String body = Base64.getMimeEncoder().encodeToString(ca.getEncoded());
      Files.writeString(
          file, "-----BEGIN CERTIFICATE-----\n" + body + "\n-----END CERTIFICATE-----\n");
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A server's key and certificate for an address, valid between two instants. */
  public KeyStore server(String address, Instant from, Instant to) {
    try {
      KeyPair key = keyPair();
      X509Certificate certificate = sign(new X500Principal("CN=hub"), key, address, from, to);
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      store.setKeyEntry(
          "hub", key.getPrivate(), new char[0], new X509Certificate[] {certificate, ca});
      return store;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A server's key and certificate for an address, valid now. */
  public KeyStore server(String address) {
    return server(address, Instant.now().minusSeconds(3_600), Instant.now().plusSeconds(86_400));
  }

  private X509Certificate sign(
      X500Principal subject,
      KeyPair key,
      @org.jspecify.annotations.Nullable String address,
      Instant from,
      Instant to) {
    try {
      var builder =
          new JcaX509v3CertificateBuilder(
              caName,
              BigInteger.valueOf(System.nanoTime()),
              Date.from(from),
              Date.from(to),
              subject,
              key.getPublic());
      if (address == null) {
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
      } else {
        int kind =
            address.matches("[0-9.]+") || address.contains(":")
                ? GeneralName.iPAddress
                : GeneralName.dNSName;
        builder.addExtension(
            Extension.subjectAlternativeName,
            false,
            new GeneralNames(new GeneralName(kind, address)));
      }
      return new JcaX509CertificateConverter()
          .getCertificate(
              builder.build(
                  new JcaContentSignerBuilder("SHA256withECDSA").build(caKey.getPrivate())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException | OperatorCreationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static KeyPair keyPair() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
