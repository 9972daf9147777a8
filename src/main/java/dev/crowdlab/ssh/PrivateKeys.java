package dev.crowdlab.ssh;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import net.schmizz.sshj.Config;
import net.schmizz.sshj.common.Factory;
import net.schmizz.sshj.common.KeyType;
import net.schmizz.sshj.userauth.keyprovider.FileKeyProvider;
import net.schmizz.sshj.userauth.keyprovider.KeyFormat;
import net.schmizz.sshj.userauth.keyprovider.KeyPairWrapper;
import net.schmizz.sshj.userauth.keyprovider.KeyProvider;
import net.schmizz.sshj.userauth.keyprovider.KeyProviderUtil;
import net.schmizz.sshj.userauth.password.PasswordFinder;
import net.schmizz.sshj.userauth.password.Resource;
import org.jspecify.annotations.Nullable;

/** Reads private keys, and tells an encrypted one from a broken one. */
final class PrivateKeys {

  /** A private RSA key of 16384 bits is about 13 KiB. */
  private static final int MAX_LENGTH = 32 * 1024;

  private PrivateKeys() {}

  /**
   * Reads the key now, so that a bad one is known before the machine is dialled.
   *
   * @throws SshException with {@link SshFailure.KeyEncrypted} or {@link SshFailure.KeyInvalid}
   */
  static KeyProvider read(Config config, String text, @Nullable String passphrase)
      throws SshException {
    if (text.length() > MAX_LENGTH) {
      throw new SshException(new SshFailure.KeyInvalid("it is too long"));
    }
    Passphrase finder = new Passphrase(passphrase);
    try {
      KeyFormat format = KeyProviderUtil.detectKeyFileFormat(text, false);
      FileKeyProvider file =
          Factory.Named.Util.create(config.getFileKeyProviderFactories(), format.toString());
      if (file == null) {
        throw new SshException(
            new SshFailure.KeyInvalid("it is neither in OpenSSH's form nor in PEM"));
      }
      file.init(text, null, finder);
      KeyPairWrapper pair = new KeyPairWrapper(file.getPublic(), file.getPrivate());
      if (Algorithms.typesBeside(Set.of()).stream()
          .noneMatch(KeyType.fromKey(pair.getPublic()).toString()::equals)) {
        throw new SshException(new SshFailure.KeyInvalid("its type is not accepted"));
      }
      return pair;
    } catch (IOException | RuntimeException e) {
      // sshj's parsers throw whatever the broken input leads them to.
      throw new SshException(
          finder.asked.get()
              ? new SshFailure.KeyEncrypted(passphrase != null)
              : new SshFailure.KeyInvalid("it cannot be read"),
          e);
    }
  }

  /** Answers once, and remembers that it was asked. */
  private static final class Passphrase implements PasswordFinder {

    private final @Nullable String passphrase;
    private final AtomicBoolean asked = new AtomicBoolean();

    private Passphrase(@Nullable String passphrase) {
      this.passphrase = passphrase;
    }

    @Override
    @SuppressWarnings("NullAway") // sshj passes null for a key that is not a file
    public char[] reqPassword(@Nullable Resource<?> resource) {
      asked.set(true);
      return passphrase == null ? new char[0] : passphrase.toCharArray();
    }

    @Override
    public boolean shouldRetry(@Nullable Resource<?> resource) {
      return false;
    }
  }
}
