package dev.crowdlab.integrity;

import dev.crowdlab.api.FindingKind;
import dev.crowdlab.integrity.Facts.PackageFinding;
import dev.crowdlab.integrity.Facts.ProtectedFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Compares the protected files with a baseline. A change is explained, and so no finding, when a
 * package brought it: the package that owns the file has another version than before (or came with
 * the file), and the package manager finds the file as it installed it.
 */
final class FileChanges {

  /** What stands behind a change. */
  enum Cause {
    /** An update or installation of a package, or our own configuration. */
    EXPLAINED,
    /** A package's version changed, but its files could not be verified this time. */
    UNVERIFIED,
    /** Nothing that we can see. */
    UNEXPLAINED
  }

  /** A protected file that is not as the baseline has it. */
  record Change(FindingKind kind, String path, String detail, Cause cause) {}

  private final Baseline baseline;
  private final Facts facts;
  private final List<String> roots;
  private final NavigableMap<String, ProtectedFile> now;
  private final Set<String> unverifiedPaths;
  private final Map<String, Set<String>> versions = new HashMap<>();
  private final boolean packagesVerified;
  private final boolean justConfigured;

  /**
   * @param roots what is protected now; a path that was not protected when the baseline was taken
   *     cannot have changed, nor one that no longer is
   */
  FileChanges(Baseline baseline, Facts facts, List<String> roots) {
    this.baseline = baseline;
    this.facts = facts;
    this.roots = roots;
    this.now = Baseline.filesOf(facts, roots);
    this.unverifiedPaths =
        facts.verification().stream().map(PackageFinding::path).collect(Collectors.toSet());
    this.packagesVerified =
        !facts.unmeasured().contains("packages") && !facts.unmeasured().contains("verification");
    this.justConfigured = !baseline.configured() && facts.agentVersion() != null;
    for (ProtectedFile file : now.values()) {
      Owner owner = Owner.of(file);
      if (owner != null) {
        versions.computeIfAbsent(owner.name(), _ -> new HashSet<>()).add(owner.version());
      }
    }
  }

  List<Change> all() {
    List<Change> changes = new ArrayList<>();
    now.forEach(
        (path, file) -> {
          ProtectedFile before = baseline.files().get(path);
          if (before != null) {
            if (!before.digest().equals(file.digest()) || !before.mode().equals(file.mode())) {
              changes.add(changed(path, before, file));
            }
          } else if (baseline.knows(Baseline.FILES)
              && ProtectedPaths.cover(baseline.roots(), path)) {
            changes.add(appeared(path, file));
          }
        });
    // Where the machine could not list all files, one that is not listed may still be there.
    if (!facts.unmeasured().contains(Baseline.FILES)) {
      baseline
          .files()
          .forEach(
              (path, before) -> {
                if (!now.containsKey(path) && ProtectedPaths.cover(roots, path)) {
                  changes.add(missing(path, before));
                }
              });
    }
    return changes;
  }

  private Change changed(String path, ProtectedFile before, ProtectedFile after) {
    String detail =
        before.digest().equals(after.digest())
            ? "mode was " + before.mode() + ", is " + after.mode()
            : "content differs from the baseline";
    Owner owner = Owner.of(after);
    Owner was = Owner.of(before);
    Cause cause = Cause.UNEXPLAINED;
    if (owner == null && was == null) {
      cause = configured(path, after);
    } else if (owner != null && !owner.equals(was) && !gainsPrivilege(before, after)) {
      cause = verified(path);
    }
    return new Change(FindingKind.PROTECTED_PATH_CHANGED, path, detail, cause);
  }

  private Change appeared(String path, ProtectedFile file) {
    return new Change(
        FindingKind.PROTECTED_PATH_CHANGED,
        path,
        "was not there when the machine was accepted",
        Owner.of(file) == null ? configured(path, file) : verified(path));
  }

  /** Explained when the package is there in another version, without the file. */
  private Change missing(String path, ProtectedFile before) {
    Owner owner = Owner.of(before);
    boolean updated =
        owner != null
            && versions.containsKey(owner.name())
            && !versions.getOrDefault(owner.name(), Set.of()).contains(owner.version());
    return new Change(
        FindingKind.PROTECTED_PATH_MISSING,
        path,
        "was there when the machine was accepted",
        updated ? verified(path) : Cause.UNEXPLAINED);
  }

  private Cause configured(String path, ProtectedFile file) {
    return justConfigured && Ours.configurationExplains(path, file.digest())
        ? Cause.EXPLAINED
        : Cause.UNEXPLAINED;
  }

  private Cause verified(String path) {
    if (unverifiedPaths.contains(path)) {
      return Cause.UNEXPLAINED;
    }
    return packagesVerified ? Cause.EXPLAINED : Cause.UNVERIFIED;
  }

  /**
   * Package managers verify content, not modes: an update does not explain that a file runs as its
   * owner or that everybody may write it.
   */
  private static boolean gainsPrivilege(ProtectedFile before, ProtectedFile after) {
    return (bits(after) & ~bits(before) & 06002) != 0 && !isLink(after);
  }

  private static boolean isLink(ProtectedFile file) {
    return file.digest().startsWith("link:");
  }

  /** The permission bits; all of them when the machine sends something else. */
  private static int bits(ProtectedFile file) {
    try {
      return Integer.parseInt(file.mode().split(":", 2)[0], 8);
    } catch (NumberFormatException e) {
      return 07777;
    }
  }

  /** A package and its version. */
  private record Owner(String name, String version) {
    static @Nullable Owner of(ProtectedFile file) {
      String text = file.owner();
      if (text == null) {
        return null;
      }
      int sign = text.indexOf('=');
      return sign < 0
          ? new Owner(text, "")
          : new Owner(text.substring(0, sign), text.substring(sign + 1));
    }
  }
}
