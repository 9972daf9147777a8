package dev.crowdlab.hub;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Secrets of the operator's namespace. Every write says what it read, so that two replicas cannot
 * overwrite each other. Each call has a deadline of its own.
 */
public interface SecretStore {

  /**
   * Reads one; empty when it is not there.
   *
   * @throws SecretStoreException when the store cannot be asked
   */
  Optional<Stored> get(String name);

  /**
   * All with this label.
   *
   * @throws SecretStoreException when the store cannot be asked
   */
  List<Stored> list(String label, String value);

  /**
   * Creates it; empty when one of this name is there already.
   *
   * @throws SecretStoreException when the store cannot be asked
   */
  Optional<Stored> create(String name, Map<String, String> labels, Map<String, String> data);

  /**
   * Replaces the data if nobody else wrote since {@code read}; empty when somebody did, or it is
   * gone.
   *
   * @throws SecretStoreException when the store cannot be asked
   */
  Optional<Stored> replace(Stored read, Map<String, String> data);

  /**
   * Removes it; nothing happens when it is gone.
   *
   * @throws SecretStoreException when the store cannot be asked
   */
  void delete(String name);

  /**
   * A Secret as it was read.
   *
   * @param version the resourceVersion that {@link #replace} compares
   * @param data the values as text, decoded
   */
  record Stored(String name, String version, Map<String, String> labels, Map<String, String> data) {
    public Stored {
      labels = Map.copyOf(labels);
      data = Map.copyOf(data);
    }

    /** Without the data. */
    @Override
    public String toString() {
      return "Stored[" + name + "@" + version + ", keys=" + data.keySet() + "]";
    }
  }

  /** The store did not answer, or refused; trying later may help. */
  final class SecretStoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public SecretStoreException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
