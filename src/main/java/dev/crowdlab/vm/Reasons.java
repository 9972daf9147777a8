package dev.crowdlab.vm;

import dev.crowdlab.api.Reason;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The way back from a condition's word to {@link Reason}. */
final class Reasons {

  private static final Map<String, Reason> BY_VALUE =
      Arrays.stream(Reason.values())
          .collect(Collectors.toUnmodifiableMap(Reason::value, Function.identity()));

  /** What keeps us out of a machine until a person changes something. */
  private static final Set<Reason> REFUSED =
      EnumSet.of(
          Reason.HOST_KEY_NOT_APPROVED,
          Reason.HOST_KEY_CHANGED,
          Reason.SECRET_INVALID,
          Reason.PASSPHRASE_REQUIRED,
          Reason.AUTHENTICATION_FAILED,
          Reason.SUDO_REFUSED,
          Reason.ADDRESS_NOT_ALLOWED);

  /** What makes teams leave a machine that fell silent. */
  private static final Set<Reason> LOSSES = EnumSet.of(Reason.VM_LOST, Reason.VM_HUNG);

  /** What only an sshd that works can bring about. */
  private static final Set<Reason> SAID_BY_SSHD =
      EnumSet.of(
          Reason.HOST_KEY_NOT_APPROVED, Reason.HOST_KEY_CHANGED, Reason.AUTHENTICATION_FAILED);

  /** What keeps us out and may pass. */
  private static final Set<Reason> AWAY = EnumSet.of(Reason.HOST_NOT_RESOLVED, Reason.UNREACHABLE);

  /**
   * Refusals that may be mended where nothing tells us: on the machine, in DNS, in the cluster. The
   * rest is in the object or its Secret, or, a host key, for a person to look at first.
   */
  private static final Set<Reason> MENDED_ELSEWHERE =
      EnumSet.of(Reason.ADDRESS_NOT_ALLOWED, Reason.AUTHENTICATION_FAILED, Reason.SUDO_REFUSED);

  private Reasons() {}

  /** Whether a person has to act before anybody can log in. */
  static boolean isRefusal(Reason reason) {
    return REFUSED.contains(reason);
  }

  /** Whether a refusal may be mended without anything that we are told of. */
  static boolean mayBeMendedElsewhere(Reason reason) {
    return MENDED_ELSEWHERE.contains(reason);
  }

  /** Whether the machine was lost. */
  static boolean isLoss(Reason reason) {
    return LOSSES.contains(reason);
  }

  /** Whether the machine's disk is at fault. */
  static boolean isOfDisk(Reason reason) {
    return reason == Reason.DISK_FULL || reason == Reason.DISK_READ_ONLY;
  }

  /** Whether an sshd said so: then there is one. */
  static boolean isSaidBySshd(Reason reason) {
    return SAID_BY_SSHD.contains(reason);
  }

  /** Whether this is about reaching the machine, not about a step on it. */
  static boolean preventsLogin(Reason reason) {
    return isRefusal(reason) || mayPass(reason);
  }

  /** Whether this keeps us out and may pass by itself. */
  static boolean mayPass(Reason reason) {
    return AWAY.contains(reason);
  }

  /** The reason of a condition; one that another version wrote counts as an internal error. */
  static Reason of(Condition condition) {
    return BY_VALUE.getOrDefault(condition.getReason(), Reason.INTERNAL_ERROR);
  }
}
