package dev.crowdlab.integrity;

import static java.util.Objects.requireNonNull;

import dev.crowdlab.api.FindingKind;
import dev.crowdlab.api.IntegritySpec;
import dev.crowdlab.api.OnViolation;
import dev.crowdlab.integrity.Facts.PackageFinding;
import dev.crowdlab.integrity.Facts.ProtectedFile;
import dev.crowdlab.integrity.Findings.Weight;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A machine's integrity policy: what its spec asks, and what the installation demands whatever the
 * spec says. Pure: the same measurement and past give the same verdict.
 *
 * @param alwaysQuarantine whether every violation quarantines, also where the spec says Report
 * @param ours what is ours on the machine
 */
public record Policy(IntegritySpec spec, boolean alwaysQuarantine, Ours ours) {

  /**
   * The distributions that are accepted when the spec names none: those whose package manager we
   * can install with.
   */
  static final List<String> SUPPORTED_DISTRIBUTIONS = List.of("debian", "ubuntu");

  /**
   * Files whose absence is no sign of anything: images leave out documentation and translations
   * (dpkg's path-exclude), and clean up below /var.
   */
  private static final Pattern OFTEN_REMOVED =
      Pattern.compile("/(var|usr/share/(doc|doc-base|man|info|locale|lintian|help|bug))/.*");

  public Policy {
    requireNonNull(spec, "spec");
    requireNonNull(ours, "ours");
  }

  /** Whether a violation quarantines the machine. */
  public boolean quarantines() {
    return alwaysQuarantine || spec.onViolation() == OnViolation.QUARANTINE;
  }

  /** The baseline that a machine has if it is accepted as it is, with no past. */
  public Baseline baselineOf(Measurement measured) {
    return Baseline.of(measured.facts(), ProtectedPaths.of(spec.protectedPaths()), ours);
  }

  /** Judges. */
  public Verdict judge(Measurement measured, Past past) {
    Facts facts = measured.facts();
    List<String> roots = ProtectedPaths.of(spec.protectedPaths());
    Findings findings = findings(past);
    HostRules.judge(measured, spec, findings);
    packages(facts, findings);
    for (String user : facts.uidZero()) {
      if (!user.equals("root")) {
        findings.add(Weight.VIOLATION, FindingKind.UID_ZERO_ACCOUNT, user, "has uid 0");
      }
    }
    for (String part : facts.unmeasured()) {
      findings.add(Weight.NOTED, FindingKind.UNMEASURABLE, part, "could not be measured");
    }
    Baseline next =
        switch (past) {
          case Past.Nothing _ -> Baseline.of(facts, roots, ours);
          case Past.Released _ ->
              Baseline.of(facts, roots, ours).withAccepted(findings.newlyAccepted());
          case Past.Known(Baseline baseline) -> compared(facts, roots, baseline, findings);
          case Past.Lost _ -> {
            findings.add(
                Weight.VIOLATION,
                FindingKind.BASELINE_LOST,
                null,
                "the baseline is gone or altered, and the machine is not as it was accepted");
            yield Baseline.of(facts, roots, ours);
          }
        };
    return findings.violated()
        ? new Verdict.Violated(findings.gravestFirst())
        : new Verdict.Accepted(findings.gravestFirst(), next);
  }

  private Findings findings(Past past) {
    return switch (past) {
      case Past.Nothing _, Past.Lost _ -> new Findings(spec, Set.of(), false);
      case Past.Released _ -> new Findings(spec, Set.of(), true);
      case Past.Known(Baseline baseline) -> new Findings(spec, baseline.accepted(), false);
    };
  }

  private static void packages(Facts facts, Findings findings) {
    for (PackageFinding found : facts.verification()) {
      if (Ours.owns(found.path())) {
        continue;
      }
      if (found.missing()) {
        findings.add(
            found.configuration() || OFTEN_REMOVED.matcher(found.path()).matches()
                ? Weight.NOTED
                : Weight.VIOLATION,
            FindingKind.PACKAGE_FILE_MISSING,
            found.path(),
            found.configuration() ? "a configuration file was removed" : "a file is missing");
      } else {
        findings.add(
            found.configuration() ? Weight.NOTED : Weight.VIOLATION,
            FindingKind.PACKAGE_FILE_MODIFIED,
            found.path(),
            found.configuration()
                ? "a configuration file was edited"
                : "differs from what its package installed");
      }
    }
  }

  /** Compares with the baseline; gives back what it becomes if the machine is accepted. */
  private Baseline compared(Facts facts, List<String> roots, Baseline before, Findings findings) {
    Baseline now = Baseline.of(facts, roots, ours);
    if (!before.machineId().equals(now.machineId())) {
      findings.add(
          Weight.VIOLATION,
          FindingKind.MACHINE_ID_CHANGED,
          null,
          "another machine answers, or it was installed anew");
    }
    // A part that was not known is known from now on; one that is not measured now stays known.
    Set<String> unknown = new HashSet<>(now.unmeasured());
    unknown.retainAll(before.unmeasured());
    return new Baseline(
        before.machineId(),
        before.configured() || now.configured(),
        roots,
        files(facts, before, now, findings),
        keys(before, now, findings),
        listeners(before, now, findings),
        List.copyOf(unknown),
        before.accepted());
  }

  private static NavigableMap<String, ProtectedFile> files(
      Facts facts, Baseline before, Baseline now, Findings findings) {
    NavigableMap<String, ProtectedFile> next = new TreeMap<>(now.files());
    if (!now.knows(Baseline.FILES)) {
      before.files().forEach(next::putIfAbsent);
    }
    for (FileChanges.Change change : new FileChanges(before, facts, now.roots()).all()) {
      String path = change.path();
      switch (change.cause()) {
        case EXPLAINED -> {}
        case UNEXPLAINED -> findings.add(Weight.VIOLATION, change.kind(), path, change.detail());
        case UNVERIFIED -> {
          findings.add(
              Weight.NOTED,
              change.kind(),
              path,
              change.detail() + ", as its package was updated; not verified yet");
          // The old entry stays, so that it is judged again.
          ProtectedFile old = before.files().get(path);
          if (old == null) {
            next.remove(path);
          } else {
            next.put(path, old);
          }
        }
      }
    }
    return next;
  }

  private static List<String> keys(Baseline before, Baseline now, Findings findings) {
    if (!before.knows(Baseline.AUTHORIZED_KEYS)) {
      return now.authorizedKeys();
    }
    for (String key : added(before.authorizedKeys(), now.authorizedKeys())) {
      String[] userAndDigest = key.split(" ", 2);
      findings.add(
          Weight.VIOLATION,
          FindingKind.AUTHORIZED_KEY_ADDED,
          userAndDigest[0],
          "a key that may log in was added, SHA-256 of its line " + userAndDigest[1]);
    }
    return before.authorizedKeys();
  }

  private static List<String> listeners(Baseline before, Baseline now, Findings findings) {
    if (!before.knows(Baseline.LISTENERS)) {
      return now.listeners();
    }
    for (String listener : added(before.listeners(), now.listeners())) {
      findings.add(
          Weight.NOTED, FindingKind.LISTENER_ADDED, listener, "accepts connections since then");
    }
    return before.listeners();
  }

  private static List<String> added(List<String> before, List<String> now) {
    return now.stream().filter(element -> !before.contains(element)).toList();
  }
}
