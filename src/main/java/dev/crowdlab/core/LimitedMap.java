package dev.crowdlab.core;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A map that forgets its eldest entry when it would grow beyond a limit. Not for several threads at
 * once.
 *
 * @param <K> of keys
 * @param <V> of values
 */
public final class LimitedMap<K, V> extends LinkedHashMap<K, V> {

  private static final long serialVersionUID = 1L;

  private final int limit;

  private LimitedMap(int limit, boolean byAccess) {
    super(16, 0.75f, byAccess);
    this.limit = limit;
  }

  /** One that forgets what was put there first. */
  public static <K, V> Map<K, V> byAge(int limit) {
    return new LimitedMap<>(limit, false);
  }

  /** One that forgets what was not asked for, or put there, for the longest time. */
  public static <K, V> Map<K, V> byUse(int limit) {
    return new LimitedMap<>(limit, true);
  }

  @Override
  protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
    return size() > limit;
  }
}
