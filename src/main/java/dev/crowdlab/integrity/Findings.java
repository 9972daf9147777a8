package dev.crowdlab.integrity;

import dev.crowdlab.api.Finding;
import dev.crowdlab.api.FindingKind;
import dev.crowdlab.api.IntegrityPolicy;
import dev.crowdlab.api.IntegritySpec;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Collects what is found and says of each whether it violates the policy. */
final class Findings {

  /** What a finding shows by itself. */
  enum Weight {
    /** That somebody tampered with the machine, or what the spec rules out by name. */
    VIOLATION,
    /** Something that a person may want to know; a violation under Strict, or when forbidden. */
    NOTED
  }

  /** Texts come from the machine; a status must stay small. */
  private static final int MAX_SUBJECT = 256;

  private static final Comparator<Finding> GRAVEST_FIRST =
      Comparator.comparingInt((Finding finding) -> finding.violation() ? 0 : 1)
          .thenComparingInt(finding -> rank(finding.kind()))
          .thenComparing(finding -> String.valueOf(finding.subject()));

  private final IntegritySpec spec;
  private final Set<String> accepted;
  private final boolean acceptAll;
  private final List<Finding> findings = new ArrayList<>();
  private final Set<String> newlyAccepted = new TreeSet<>();

  /**
   * @param accepted what a person accepted before, see {@link Baseline#accepted}
   * @param acceptAll whether a person accepts the present state
   */
  Findings(IntegritySpec spec, Collection<String> accepted, boolean acceptAll) {
    this.spec = spec;
    this.accepted = Set.copyOf(accepted);
    this.acceptAll = acceptAll;
  }

  void add(Weight weight, FindingKind kind, @Nullable String subject, String detail) {
    boolean violation =
        weight == Weight.VIOLATION
            || spec.policy() == IntegrityPolicy.STRICT
            || spec.forbiddenFindings().contains(kind);
    String key = kind + " " + subject;
    String said = detail;
    if (violation && canBeAccepted(kind) && (acceptAll || accepted.contains(key))) {
      violation = false;
      said = detail + "; a person accepted it";
      newlyAccepted.add(key);
    }
    findings.add(new Finding(kind, clip(subject), said, violation));
  }

  List<Finding> gravestFirst() {
    return findings.stream().sorted(GRAVEST_FIRST).toList();
  }

  boolean violated() {
    return findings.stream().anyMatch(Finding::violation);
  }

  /** What a person accepts by ending the quarantine, for {@link Baseline#accepted}. */
  Set<String> newlyAccepted() {
    return newlyAccepted;
  }

  /**
   * Whether to end a quarantine accepts such a finding: not what the spec rules out by name, for
   * that the spec is to be changed, nor a clock, which is to be set.
   */
  private static boolean canBeAccepted(FindingKind kind) {
    return switch (kind) {
      case DISTRIBUTION_NOT_ALLOWED, KERNEL_TOO_OLD, CLOCK_SKEWED -> false;
      case PACKAGE_FILE_MODIFIED,
          PACKAGE_FILE_MISSING,
          PROTECTED_PATH_CHANGED,
          PROTECTED_PATH_MISSING,
          UID_ZERO_ACCOUNT,
          AUTHORIZED_KEY_ADDED,
          LISTENER_ADDED,
          MACHINE_ID_DUPLICATE,
          MACHINE_ID_CHANGED,
          BASELINE_LOST,
          KERNEL_TAINTED,
          CAPACITY_TOO_SMALL,
          UNMEASURABLE ->
          true;
    };
  }

  private static int rank(FindingKind kind) {
    return switch (kind) {
      case MACHINE_ID_CHANGED -> 0;
      case BASELINE_LOST -> 1;
      case UID_ZERO_ACCOUNT -> 2;
      case AUTHORIZED_KEY_ADDED -> 3;
      case PROTECTED_PATH_CHANGED -> 4;
      case PROTECTED_PATH_MISSING -> 5;
      case PACKAGE_FILE_MODIFIED -> 6;
      case PACKAGE_FILE_MISSING -> 7;
      case DISTRIBUTION_NOT_ALLOWED -> 8;
      case KERNEL_TOO_OLD -> 9;
      case UNMEASURABLE -> 10;
      case KERNEL_TAINTED -> 11;
      case MACHINE_ID_DUPLICATE -> 12;
      case LISTENER_ADDED -> 13;
      case CLOCK_SKEWED -> 14;
      case CAPACITY_TOO_SMALL -> 15;
    };
  }

  private static @Nullable String clip(@Nullable String text) {
    return text == null || text.length() <= MAX_SUBJECT
        ? text
        : text.substring(0, MAX_SUBJECT - 1) + "…";
  }
}
