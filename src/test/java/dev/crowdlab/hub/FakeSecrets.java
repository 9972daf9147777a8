package dev.crowdlab.hub;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Secrets in memory, with versions, and with the accidents that a test asks for. */
final class FakeSecrets implements SecretStore {

  private final Map<String, Stored> secrets = new LinkedHashMap<>();
  private int version;
  private boolean away;
  private Runnable beforeWrite = () -> {};
  private int reads;

  /** The API server does not answer. */
  void away(boolean value) {
    away = value;
  }

  /** Somebody else is faster, once. */
  void beforeNextWrite(Runnable action) {
    beforeWrite = action;
  }

  int reads() {
    return reads;
  }

  @Override
  public synchronized Optional<Stored> get(String name) {
    check();
    reads++;
    return Optional.ofNullable(secrets.get(name));
  }

  @Override
  public synchronized List<Stored> list(String label, String value) {
    check();
    return secrets.values().stream().filter(s -> value.equals(s.labels().get(label))).toList();
  }

  @Override
  public synchronized Optional<Stored> create(
      String name, Map<String, String> labels, Map<String, String> data) {
    check();
    accident();
    if (secrets.containsKey(name)) {
      return Optional.empty();
    }
    return Optional.of(put(name, labels, data));
  }

  @Override
  public synchronized Optional<Stored> replace(Stored read, Map<String, String> data) {
    check();
    accident();
    Stored now = secrets.get(read.name());
    if (now == null || !now.version().equals(read.version())) {
      return Optional.empty();
    }
    return Optional.of(put(read.name(), read.labels(), data));
  }

  @Override
  public synchronized void delete(String name) {
    check();
    secrets.remove(name);
  }

  private Stored put(String name, Map<String, String> labels, Map<String, String> data) {
    Stored stored = new Stored(name, String.valueOf(++version), labels, data);
    secrets.put(name, stored);
    return stored;
  }

  private void accident() {
    Runnable action = beforeWrite;
    beforeWrite = () -> {};
    action.run();
  }

  private void check() {
    if (away) {
      throw new SecretStoreException("away", new IllegalStateException("test"));
    }
  }
}
