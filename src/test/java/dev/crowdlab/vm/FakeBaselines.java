package dev.crowdlab.vm;

import dev.crowdlab.core.VmRef;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Baselines in memory, with versions, and with the accidents that a test asks for. */
public final class FakeBaselines implements Baselines {

  private final Map<String, Kept> entries = new HashMap<>();
  private int version;
  private boolean away;
  private boolean refusesWrites;

  /** Nothing can be read or written. */
  public void away(boolean value) {
    away = value;
  }

  /** Reading works, writing does not. */
  public void refusesWrites(boolean value) {
    refusesWrites = value;
  }

  /** Puts an entry there behind everybody's back; null takes it away. */
  public void put(VmRef vm, Entry entry) {
    if (entry == null) {
      entries.remove(vm.uid());
    } else {
      entries.put(vm.uid(), new Kept(entry, String.valueOf(++version)));
    }
  }

  /** What is kept, whether it can be read or not. */
  public Optional<Entry> entry(VmRef vm) {
    return Optional.ofNullable(entries.get(vm.uid())).map(Kept::entry);
  }

  /** How often something was written. */
  public int writes() {
    return version;
  }

  @Override
  public Optional<Kept> read(VmRef vm) {
    check(away);
    return Optional.ofNullable(entries.get(vm.uid()));
  }

  @Override
  public void write(VmRef vm, Optional<Kept> read, Entry entry) {
    check(away || refusesWrites);
    Optional<String> now = Optional.ofNullable(entries.get(vm.uid())).map(Kept::version);
    check(!now.equals(read.map(Kept::version)));
    put(vm, entry);
  }

  @Override
  public void delete(VmRef vm) {
    check(away || refusesWrites);
    entries.remove(vm.uid());
  }

  private static void check(boolean fails) {
    if (fails) {
      throw new BaselinesUnavailableException("not now");
    }
  }
}
