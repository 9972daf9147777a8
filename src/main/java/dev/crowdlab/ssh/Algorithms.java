package dev.crowdlab.ssh;

import com.hierynomus.sshj.key.KeyAlgorithms;
import com.hierynomus.sshj.transport.cipher.BlockCiphers;
import com.hierynomus.sshj.transport.cipher.ChachaPolyCiphers;
import com.hierynomus.sshj.transport.cipher.GcmCiphers;
import com.hierynomus.sshj.transport.kex.DHGroups;
import com.hierynomus.sshj.transport.kex.ExtInfoClientFactory;
import com.hierynomus.sshj.transport.mac.Macs;
import com.hierynomus.sshj.userauth.keyprovider.OpenSSHKeyV1KeyFile;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.schmizz.keepalive.KeepAliveProvider;
import net.schmizz.sshj.Config;
import net.schmizz.sshj.ConfigImpl;
import net.schmizz.sshj.common.Factory;
import net.schmizz.sshj.common.LoggerFactory;
import net.schmizz.sshj.transport.compression.NoneCompression;
import net.schmizz.sshj.transport.kex.Curve25519SHA256;
import net.schmizz.sshj.transport.kex.DHGexSHA256;
import net.schmizz.sshj.transport.kex.ECDHNistP;
import net.schmizz.sshj.transport.random.JCERandom;
import net.schmizz.sshj.transport.random.SingletonRandomFactory;
import net.schmizz.sshj.userauth.keyprovider.PKCS8KeyFile;
import org.slf4j.Logger;
import org.slf4j.helpers.NOPLogger;

/**
 * What we negotiate: what OpenSSH 7.4 (2016) and later offer and nothing that is broken. sshj's own
 * default still has SHA-1 groups, arcfour, MD5 and CBC.
 */
final class Algorithms {

  /** In our order of preference. */
  private static final List<String> HOST_KEY_TYPES =
      List.of(
          "ssh-ed25519",
          "ecdsa-sha2-nistp256",
          "ecdsa-sha2-nistp384",
          "ecdsa-sha2-nistp521",
          "ssh-rsa");

  /** How sshj says it, e.g. "Unable to reach a settlement of Client2ServerCipherAlgorithms". */
  private static final Pattern UNSETTLED =
      Pattern.compile(
          "Unable to reach a settlement of (?:Client2Server|Server2Client)?(\\w+)Algorithms");

  private static final String WIRE_LOG = "dev.crowdlab.ssh.wire";

  private Algorithms() {}

  static Config config() {
    ConfigImpl config = new ConfigImpl() {};
    config.setLoggerFactory(new WireLog());
    config.setVersion("CrowdLab");
    config.setKeyExchangeFactories(
        List.of(
            new Curve25519SHA256.Factory(),
            new Curve25519SHA256.FactoryLibSsh(),
            new ECDHNistP.Factory256(),
            new ECDHNistP.Factory384(),
            new ECDHNistP.Factory521(),
            new DHGexSHA256.Factory(),
            DHGroups.Group16SHA512(),
            DHGroups.Group14SHA256(),
            new ExtInfoClientFactory()));
    config.setKeyAlgorithms(
        List.of(
            KeyAlgorithms.EdDSA25519(),
            KeyAlgorithms.ECDSASHANistp256(),
            KeyAlgorithms.ECDSASHANistp384(),
            KeyAlgorithms.ECDSASHANistp521(),
            KeyAlgorithms.RSASHA512(),
            KeyAlgorithms.RSASHA256()));
    config.setCipherFactories(
        List.of(
            GcmCiphers.AES128GCM(),
            GcmCiphers.AES256GCM(),
            ChachaPolyCiphers.CHACHA_POLY_OPENSSH(),
            BlockCiphers.AES128CTR(),
            BlockCiphers.AES192CTR(),
            BlockCiphers.AES256CTR()));
    config.setMACFactories(
        List.of(
            Macs.HMACSHA2256Etm(), Macs.HMACSHA2512Etm(), Macs.HMACSHA2256(), Macs.HMACSHA2512()));
    config.setCompressionFactories(List.of(new NoneCompression.Factory()));
    config.setRandomFactory(new SingletonRandomFactory(new JCERandom.Factory()));
    config.setFileKeyProviderFactories(
        List.of(new OpenSSHKeyV1KeyFile.Factory(), new PKCS8KeyFile.Factory()));
    config.setKeepAliveProvider(KeepAliveProvider.KEEP_ALIVE);
    return config;
  }

  /** What sshj's exception says when nothing of a kind is common; empty when it says else. */
  static Optional<SshFailure> unsettled(IOException e) {
    Matcher words = UNSETTLED.matcher(String.valueOf(e.getMessage()));
    if (!words.find()) {
      return Optional.empty();
    }
    Config ours = config();
    return Optional.of(
        switch (words.group(1)) {
          case "KeyExchange" ->
              none("key exchanges", ours.getKeyExchangeFactories(), "KexAlgorithms");
          case "HostKey" -> none("host key types", ours.getKeyAlgorithms(), "HostKeyAlgorithms");
          case "Cipher" -> none("ciphers", ours.getCipherFactories(), "Ciphers");
          case "MAC" -> none("MACs", ours.getMACFactories(), "MACs");
          default -> none("compressions", ours.getCompressionFactories(), "Compression");
        });
  }

  private static SshFailure none(
      String kind, List<? extends Factory.Named<?>> accepted, String option) {
    String names =
        accepted.stream()
            .map(Factory.Named::getName)
            .filter(name -> !name.startsWith("ext-info-"))
            .collect(Collectors.joining(", "));
    return new SshFailure.NoCommonAlgorithm(kind, names, option);
  }

  /** The names to propose first, so that a server with several keys presents the wanted one. */
  static List<String> namesOf(Collection<String> keyTypes) {
    return keyTypes.stream()
        .flatMap(
            type ->
                type.equals("ssh-rsa")
                    ? Stream.of("rsa-sha2-512", "rsa-sha2-256")
                    : Stream.of(type))
        .toList();
  }

  /** The types other than these, in our order. */
  static List<String> typesBeside(Collection<String> seen) {
    return HOST_KEY_TYPES.stream().filter(type -> !seen.contains(type)).toList();
  }

  /**
   * sshj logs what it throws, as errors. We decide what deserves a line, and show sshj's only to
   * who asks for it.
   */
  private static final class WireLog implements LoggerFactory {

    private final Logger logger = org.slf4j.LoggerFactory.getLogger(WIRE_LOG);

    @Override
    public Logger getLogger(String name) {
      return logger.isDebugEnabled() ? logger : NOPLogger.NOP_LOGGER;
    }

    @Override
    public Logger getLogger(Class<?> clazz) {
      return getLogger(clazz.getName());
    }
  }
}
