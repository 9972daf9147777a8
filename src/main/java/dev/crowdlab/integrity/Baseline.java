package dev.crowdlab.integrity;

import static java.util.Objects.requireNonNullElse;

import dev.crowdlab.integrity.Facts.AuthorizedKey;
import dev.crowdlab.integrity.Facts.Listener;
import dev.crowdlab.integrity.Facts.ProtectedFile;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The measured state that a machine was accepted with, as far as it should stay as it is. What
 * changes by itself (boot id, free disk, the running kernel, clients' udp sockets) and what is ours
 * is no part of it. Every list is sorted and has each element once, so equal states are equal
 * baselines.
 *
 * @param machineId SHA-256 of the machine-id
 * @param configured whether our agent was there: before, our own configuration is still to come
 * @param roots the paths that were protected
 * @param files the protected files
 * @param authorizedKeys the account, a space, and the key's digest
 * @param listeners protocol, address and port
 * @param unmeasured the parts that could not be measured, so are not known
 * @param accepted findings that a person accepted by ending a quarantine: kind, space, subject
 */
public record Baseline(
    String machineId,
    boolean configured,
    List<String> roots,
    NavigableMap<String, ProtectedFile> files,
    List<String> authorizedKeys,
    List<String> listeners,
    List<String> unmeasured,
    List<String> accepted) {

  /** The probe's name for the part that reads the protected files. */
  static final String FILES = "files";

  /** The probe's name for the part that reads authorized keys. */
  static final String AUTHORIZED_KEYS = "authorizedKeys";

  /** The probe's name for the part that reads listening sockets. */
  static final String LISTENERS = "listeners";

  /** Sorts; an empty part may be left out of the stored form and is null here. */
  public Baseline {
    roots = sorted(roots);
    files =
        Collections.unmodifiableNavigableMap(
            new TreeMap<>(requireNonNullElse(files, Collections.emptyNavigableMap())));
    authorizedKeys = sorted(authorizedKeys);
    listeners = sorted(listeners);
    unmeasured = sorted(unmeasured);
    accepted = sorted(accepted);
  }

  /** What {@code facts} show, with {@code roots} protected and nothing accepted by a person. */
  static Baseline of(Facts facts, Collection<String> roots, Ours ours) {
    return new Baseline(
        facts.machineIdHash(),
        facts.agentVersion() != null,
        List.copyOf(roots),
        filesOf(facts, roots),
        keysOf(facts),
        listenersOf(facts, ours),
        facts.unmeasured(),
        List.of());
  }

  static NavigableMap<String, ProtectedFile> filesOf(Facts facts, Collection<String> roots) {
    NavigableMap<String, ProtectedFile> files = new TreeMap<>();
    for (Map.Entry<String, ProtectedFile> file : facts.files().entrySet()) {
      if (!Ours.owns(file.getKey()) && ProtectedPaths.cover(roots, file.getKey())) {
        files.put(file.getKey(), file.getValue());
      }
    }
    return files;
  }

  static List<String> keysOf(Facts facts) {
    return facts.authorizedKeys().stream().map(Baseline::text).toList();
  }

  static List<String> listenersOf(Facts facts, Ours ours) {
    return facts.listeners().stream()
        .filter(listener -> !ours.explains(listener))
        .map(Baseline::text)
        .toList();
  }

  Baseline withAccepted(Collection<String> findings) {
    return new Baseline(
        machineId,
        configured,
        roots,
        files,
        authorizedKeys,
        listeners,
        unmeasured,
        List.copyOf(findings));
  }

  /** Whether the part was measured then. */
  boolean knows(String part) {
    return !unmeasured.contains(part);
  }

  private static String text(AuthorizedKey key) {
    return key.user() + " " + key.digest();
  }

  private static String text(Listener listener) {
    return listener.protocol() + " " + listener.address() + " " + listener.port();
  }

  private static List<String> sorted(@Nullable List<String> texts) {
    return requireNonNullElse(texts, List.<String>of()).stream().sorted().distinct().toList();
  }
}
