package dev.crowdlab.vm;

import dev.crowdlab.core.LimitedMap;
import dev.crowdlab.ssh.SshFailure;
import dev.crowdlab.ssh.SshTarget;
import java.util.Map;

/**
 * Which machines' addresses are refused now. Such an address is looked up every few seconds until
 * it is allowed: a log is told when that begins, and not each time.
 */
final class AddressRefusals {

  /** Beyond this the oldest is forgotten, and told again. */
  static final int REMEMBERED = 4096;

  private final Map<String, SshFailure> refused = LimitedMap.byAge(REMEMBERED);

  /** Whether the log has not told it yet; any other failure always is news. */
  synchronized boolean isNews(SshTarget target, SshFailure failure) {
    if (failure instanceof SshFailure.AddressNotAllowed) {
      return !failure.equals(refused.put(target.toString(), failure));
    }
    // A name that cannot be looked up once in a while does not make the next refusal news.
    return true;
  }

  /** Its address is allowed. */
  synchronized void connected(SshTarget target) {
    refused.remove(target.toString());
  }
}
