package dev.crowdlab.ssh;

import dev.crowdlab.api.Reason;
import dev.crowdlab.core.Outcome.Failure;
import dev.crowdlab.core.Outcome.Failure.Kind;

/** Why a connection was not made, or did not last. */
public sealed interface SshFailure {

  /** It is not known where to connect to, or as whom: a Secret is missing, for instance. */
  record NoTarget(Failure why) implements SshFailure {}

  /** The host name does not resolve. */
  record NameNotResolved() implements SshFailure {}

  /**
   * The name leads to an address that must not be dialled.
   *
   * @param why a stable phrase, e.g. "it is a loopback address"
   */
  record AddressNotAllowed(String address, String why) implements SshFailure {}

  /** Nobody answers, or not with SSH. {@code what} is a stable phrase. */
  record Unreachable(String what) implements SshFailure {}

  /** Our deadline passed. {@code doing} is a stable phrase. */
  record TimedOut(String doing) implements SshFailure {}

  /**
   * The machine and we have no algorithm of a kind in common that is still safe.
   *
   * @param kind a stable phrase, e.g. "ciphers"
   * @param accepted those that are accepted, by their names in SSH
   * @param option the sshd's option that says which ones it offers
   */
  record NoCommonAlgorithm(String kind, String accepted, String option) implements SshFailure {}

  /** Nothing is pinned; this is the key that the machine presented. */
  record UnknownHostKey(HostKey presented) implements SshFailure {}

  /** The machine has no key that is the pinned one. */
  record HostKeyChanged(HostKey presented) implements SshFailure {}

  /** The private key is encrypted, and what we have does not open it. */
  record KeyEncrypted(boolean passphraseGiven) implements SshFailure {}

  /** The private key cannot be used. {@code why} is a stable phrase without any of the key. */
  record KeyInvalid(String why) implements SshFailure {}

  /** The machine refused user, key or password. {@code accepts} is what it would take. */
  record AuthenticationFailed(String user, String accepts) implements SshFailure {}

  /** The user may not become root without a password. */
  record SudoRefused(String user) implements SshFailure {}

  /** The connection broke while it was in use. {@code doing} is a stable phrase. */
  record ConnectionLost(String doing) implements SshFailure {}

  /** The machine sent more than it was asked for. */
  record TooMuchOutput(int limitBytes) implements SshFailure {}

  /** The failure in the words of conditions. */
  default Failure toFailure() {
    return switch (this) {
      case NoTarget(Failure why) -> why;
      case NameNotResolved() -> later(Reason.HOST_NOT_RESOLVED, "the host name does not resolve");
      case AddressNotAllowed(String address, String why) ->
          refused(
              Reason.ADDRESS_NOT_ALLOWED,
              "the host leads to %s, which must not be dialled: %s".formatted(address, why));
      case Unreachable(String what) -> later(Reason.UNREACHABLE, what);
      case TimedOut(String doing) ->
          later(Reason.UNREACHABLE, "the machine did not answer in time while " + doing);
      case NoCommonAlgorithm(String kind, String accepted, String option) ->
          later(
              Reason.UNREACHABLE,
              "the machine's sshd offers none of the %s that are accepted; update it, or let %s of"
                      .formatted(kind, option)
                  + " its sshd_config have one of "
                  + accepted);
      case UnknownHostKey(HostKey presented) ->
          refused(
              Reason.HOST_KEY_NOT_APPROVED,
              "the machine presents the %s host key %s, which is not approved; put it into"
                      .formatted(presented.type(), presented.fingerprint())
                  + " spec.ssh.hostKey or the annotation crowdlab.dev/approve-host-key");
      case HostKeyChanged(HostKey presented) ->
          refused(
              Reason.HOST_KEY_CHANGED,
              "the machine presents the %s host key %s, which is not the pinned one"
                  .formatted(presented.type(), presented.fingerprint()));
      case KeyEncrypted(boolean passphraseGiven) ->
          refused(
              Reason.PASSPHRASE_REQUIRED,
              passphraseGiven
                  ? "the passphrase in the Secret does not open the private key"
                  : "the private key is encrypted and the Secret has no passphrase");
      case KeyInvalid(String why) ->
          refused(Reason.SECRET_INVALID, "the private key cannot be used: " + why);
      case AuthenticationFailed(String user, String accepts) ->
          refused(
              Reason.AUTHENTICATION_FAILED,
              "the machine refused the credentials of %s%s"
                  .formatted(user, accepts.isEmpty() ? "" : "; it accepts " + accepts));
      case SudoRefused(String user) ->
          refused(Reason.SUDO_REFUSED, "%s may not use sudo without a password".formatted(user));
      case ConnectionLost(String doing) ->
          later(Reason.UNREACHABLE, "the connection broke while " + doing);
      case TooMuchOutput(int limitBytes) ->
          later(
              Reason.UNREACHABLE,
              "the machine sent more than the %d bytes that are accepted".formatted(limitBytes));
    };
  }

  private static Failure later(Reason reason, String message) {
    return new Failure(Kind.TRANSIENT, reason, message);
  }

  private static Failure refused(Reason reason, String message) {
    return new Failure(Kind.TERMINAL, reason, message);
  }
}
