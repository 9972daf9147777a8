package dev.crowdlab.ssh;

import java.security.PublicKey;
import java.util.Base64;
import java.util.List;
import net.schmizz.sshj.common.Buffer;
import net.schmizz.sshj.common.KeyType;
import net.schmizz.sshj.transport.verification.HostKeyVerifier;
import org.jspecify.annotations.Nullable;

/**
 * Accepts the pinned key only, and remembers what was presented. It is a connection's only
 * verifier: sshj is content when any of several says yes.
 */
final class PinVerifier implements HostKeyVerifier {

  private final HostKeyPin pin;
  private final List<String> proposeFirst;
  private volatile @Nullable HostKey presented;

  PinVerifier(HostKeyPin pin, List<String> proposeFirst) {
    this.pin = pin;
    this.proposeFirst = proposeFirst;
  }

  /** The key that the machine presented, null when it did not come that far. */
  @Nullable HostKey presented() {
    return presented;
  }

  @Override
  public boolean verify(String hostname, int port, PublicKey key) {
    HostKey hostKey =
        new HostKey(
            KeyType.fromKey(key).toString(),
            Base64.getEncoder()
                .encodeToString(new Buffer.PlainBuffer().putPublicKey(key).getCompactData()));
    presented = hostKey;
    return pin.accepts(hostKey);
  }

  @Override
  public List<String> findExistingAlgorithms(String hostname, int port) {
    return proposeFirst;
  }
}
